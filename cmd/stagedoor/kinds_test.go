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

// kindsInCode are the values of store.Event's Kind: the literals, and where it
// is a parameter or a variable of a function, the literals that it is given.
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
	kinds := map[string]bool{}
	given := map[string]int{} // functions that take the kind, and at which place
	eachFunction(files, func(f *ast.FuncDecl) { kindsOf(f, kinds, given) })
	for before := -1; before != len(given); { // a function may hand its own parameter on
		before = len(given)
		eachFunction(files, func(f *ast.FuncDecl) { kindsGiven(f, kinds, given) })
	}
	var all []string
	for kind := range kinds {
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

// kindsOf looks at Kind: ... in literals of Event, and at event.Kind = ...
func kindsOf(f *ast.FuncDecl, kinds map[string]bool, given map[string]int) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if name(n.Type) == "Event" {
				for _, element := range n.Elts {
					if pair, ok := element.(*ast.KeyValueExpr); ok && name(pair.Key) == "Kind" {
						note(f, pair.Value, kinds, given)
					}
				}
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if selector, ok := left.(*ast.SelectorExpr); ok && selector.Sel.Name == "Kind" && name(selector.X) == "event" && i < len(n.Rhs) {
					note(f, n.Rhs[i], kinds, given)
				}
			}
		}
		return true
	})
}

// kindsGiven looks at the calls of functions that take a kind.
func kindsGiven(f *ast.FuncDecl, kinds map[string]bool, given map[string]int) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if place, takes := given[name(call.Fun)]; takes && place < len(call.Args) {
				note(f, call.Args[place], kinds, given)
			}
		}
		return true
	})
}

// note takes a literal; of an identifier, what the function assigns to it, or
// the function itself when it is its parameter.
func note(f *ast.FuncDecl, value ast.Expr, kinds map[string]bool, given map[string]int) {
	switch value := value.(type) {
	case *ast.BasicLit:
		if kind, err := strconv.Unquote(value.Value); err == nil && value.Kind == token.STRING {
			kinds[kind] = true
		}
	case *ast.Ident:
		place := 0
		for _, field := range f.Type.Params.List {
			for _, parameter := range field.Names {
				if parameter.Name == value.Name {
					given[f.Name.Name] = place
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
						note(f, literal, kinds, given)
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
