package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"stagedoor/webroot"
)

// Every kind of audit event that the code writes has its words, event.kind.KIND
// of the locales, by which helpdesk searches; and none has words that nobody writes.
func TestKindsOfEvents(t *testing.T) {
	site, err := webroot.Open()
	if err != nil {
		t.Fatal(err)
	}
	found := kindsInCode(t, "../../gateway", "../../otp", "../../cmd")
	if len(found) < 15 {
		t.Fatalf("only %q", found)
	}
	const prefix = "event.kind."
	worded := site.Keys(prefix)
	for _, kind := range found {
		if !slices.Contains(worded, prefix+kind) {
			t.Errorf("locales: there is no text %q", prefix+kind)
		}
	}
	for _, key := range worded {
		if !slices.Contains(found, strings.TrimPrefix(key, prefix)) {
			t.Errorf("locales: %q is in words, but nothing writes such events", key)
		}
	}
}

// kindFinder finds the values of store.Event's Kind, and of helpdesk's deed: the
// literals, and where it is a parameter, a variable or a constant, the literals
// that it is given.
type kindFinder struct {
	kinds     map[string]bool
	given     map[string]int // functions that take the kind, and at which place
	constants map[string]*ast.BasicLit
}

// kindsInCode are the kinds that the code of some folders writes.
func kindsInCode(t *testing.T, roots ...string) []string {
	t.Helper()
	var files []*ast.File
	for _, root := range roots {
		err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			files = append(files, file)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	find := kindFinder{kinds: map[string]bool{}, given: map[string]int{}, constants: map[string]*ast.BasicLit{}}
	find.theConstants(files)
	eachFunction(files, find.kindsOf)
	for before := -1; before != len(find.given); { // a function may hand its own parameter on
		before = len(find.given)
		eachFunction(files, find.kindsGiven)
	}
	var all []string
	for kind := range find.kinds {
		all = append(all, kind)
	}
	slices.Sort(all)
	return all
}

func eachFunction(files []*ast.File, visit func(*ast.FuncDecl)) {
	for _, file := range files {
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Body != nil {
				visit(f)
			}
		}
	}
}

// theConstants are those of files that are texts and called kind...
func (k kindFinder) theConstants(files []*ast.File) {
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			for i := 0; ok && i < len(spec.Names) && i < len(spec.Values); i++ {
				if literal, ok := spec.Values[i].(*ast.BasicLit); ok && strings.HasPrefix(spec.Names[i].Name, "kind") {
					k.constants[spec.Names[i].Name] = literal
				}
			}
			return true
		})
	}
}

// kindsOf looks at Kind: ... in literals of Event, at kind: ... in those of
// deed, and at event.Kind = ...
func (k kindFinder) kindsOf(f *ast.FuncDecl) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if field := map[string]string{"Event": "Kind", "deed": "kind"}[name(n.Type)]; field != "" {
				for _, element := range n.Elts {
					if pair, ok := element.(*ast.KeyValueExpr); ok && name(pair.Key) == field {
						k.note(f, pair.Value)
					}
				}
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if selector, ok := left.(*ast.SelectorExpr); ok && selector.Sel.Name == "Kind" && name(selector.X) == "event" && i < len(n.Rhs) {
					k.note(f, n.Rhs[i])
				}
			}
		}
		return true
	})
}

// kindsGiven looks at the calls of functions that take a kind.
func (k kindFinder) kindsGiven(f *ast.FuncDecl) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if place, takes := k.given[name(call.Fun)]; takes && place < len(call.Args) {
				k.note(f, call.Args[place])
			}
		}
		return true
	})
}

// note takes a literal; of an identifier, what the function assigns to it, or
// the function itself when it is its parameter.
func (k kindFinder) note(f *ast.FuncDecl, value ast.Expr) {
	switch value := value.(type) {
	case *ast.BasicLit:
		if kind, err := strconv.Unquote(value.Value); err == nil && value.Kind == token.STRING {
			k.kinds[kind] = true
		}
	case *ast.Ident:
		if literal := k.constants[value.Name]; literal != nil {
			k.note(f, literal)
		}
		place := 0
		for _, field := range f.Type.Params.List {
			for _, parameter := range field.Names {
				if parameter.Name == value.Name {
					k.given[f.Name.Name] = place
				}
				place++
			}
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if assign, ok := n.(*ast.AssignStmt); ok {
				for i, left := range assign.Lhs {
					if name(left) != value.Name || i >= len(assign.Rhs) {
						continue
					}
					if literal, ok := assign.Rhs[i].(*ast.BasicLit); ok {
						k.note(f, literal)
					}
				}
			}
			return true
		})
	}
}

func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
