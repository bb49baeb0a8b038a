package otp

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Samples for the proof that no value can leave its place. The awkward one has
// what ends a field in a form, a query, a path, JSON or XML.
const (
	plainSample   = "plainSample"
	awkwardSample = "a b&c=d;e+f%41\"},{\"<g>\\&amp;/../#?{}'åäö€😀\nh"
	phoneSample   = "+46701234567"
)

// leaf is one value of a body or URL with the place where it stands.
type leaf struct{ place, value string }

// prove renders the request with plain and with awkward values and demands
// that both have the same parts, and that each part is what was put in.
func (r *requestTemplates) prove(config HTTPConfig) error {
	constant, _, _ := strings.Cut(strings.TrimSpace(config.URL), "{{")
	address, err := url.Parse(constant)
	if err != nil {
		return errors.New("url: its scheme and host cannot be read")
	}
	if err := checkOrigin(address, config.InsecurePlaintext); err != nil {
		return err
	}
	r.origin = address
	if _, err := r.renderHeader(values{To: phoneSample, Text: awkwardSample, ID: plainSample,
		Username: config.Username, Password: config.Password, Callback: config.Callback}); err != nil {
		return err
	}
	before, err := r.render(samples(plainSample))
	if err != nil {
		return err
	}
	after, err := r.render(samples(awkwardSample))
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		read func(renderedRequest) ([]leaf, error)
	}{
		{"url", func(x renderedRequest) ([]leaf, error) { return urlLeaves(x.url) }},
		{"body", func(x renderedRequest) ([]leaf, error) { return bodyLeaves(r.media, x.body) }},
	} {
		if err := sameShape(part.name, before, after, part.read); err != nil {
			return err
		}
	}
	return nil
}

func samples(value string) values {
	return values{To: phoneSample, Text: value, ID: value, Username: value, Password: value, Callback: value}
}

func sameShape(name string, before, after renderedRequest, read func(renderedRequest) ([]leaf, error)) error {
	plain, err := read(before)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	awkward, err := read(after)
	if err != nil || len(plain) != len(awkward) {
		return fmt.Errorf("%s: a value is not escaped: use urlquery, path, json or xml", name)
	}
	for i := range plain {
		want := strings.ReplaceAll(plain[i].value, plainSample, awkwardSample)
		if awkward[i].place != plain[i].place || awkward[i].value != want {
			return fmt.Errorf("%s: the value of %s is not escaped: use urlquery, path, json or xml", name, plain[i].place)
		}
		if strings.HasPrefix(want, " "+phoneSample[1:]) {
			return fmt.Errorf("%s: the plus of .To in %s is not escaped and arrives as a space: use urlquery", name, plain[i].place)
		}
	}
	return nil
}

func urlLeaves(address *url.URL) ([]leaf, error) {
	if address.Fragment != "" {
		return nil, errors.New("it has a fragment")
	}
	leaves := []leaf{{"the host", address.Scheme + "://" + address.Host}}
	for _, segment := range strings.Split(address.EscapedPath(), "/") {
		text, err := url.PathUnescape(segment)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf{"the path", text})
	}
	query, err := formLeaves(address.RawQuery)
	return append(leaves, query...), err
}

func bodyLeaves(media string, body []byte) ([]leaf, error) {
	switch {
	case len(body) == 0:
		return nil, nil
	case media == "application/x-www-form-urlencoded":
		return formLeaves(string(body))
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		return jsonLeaves(body)
	case media == "application/xml" || media == "text/xml" || strings.HasSuffix(media, "+xml"):
		return xmlLeaves(body)
	case media == "text/plain":
		return []leaf{{"the text", string(body)}}, nil
	}
	return nil, fmt.Errorf("content type %q: use a form, JSON, XML or plain text", media)
}

// formLeaves keeps the order, unlike url.ParseQuery.
func formLeaves(form string) ([]leaf, error) {
	if form == "" {
		return nil, nil
	}
	var leaves []leaf
	for _, pair := range strings.Split(form, "&") {
		if strings.ContainsAny(pair, ";\n\r ") {
			return nil, errors.New("a form has no spaces, line breaks or semicolons: urlquery writes them as + and %")
		}
		key, value, _ := strings.Cut(pair, "=")
		key, keyErr := url.QueryUnescape(key)
		value, valueErr := url.QueryUnescape(value)
		if err := errors.Join(keyErr, valueErr); err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf{key, value})
	}
	return leaves, nil
}

// jsonLeaves reads tokens, so that a key that stands twice is seen twice.
func jsonLeaves(body []byte) ([]leaf, error) {
	if !json.Valid(body) {
		return nil, errors.New("not JSON")
	}
	var leaves []leaf
	for decoder := json.NewDecoder(bytes.NewReader(body)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return leaves, nil
		}
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf{fmt.Sprintf("%T %d", token, len(leaves)), fmt.Sprint(token)})
	}
}

func xmlLeaves(body []byte) ([]leaf, error) {
	var leaves []leaf
	for decoder := xml.NewDecoder(bytes.NewReader(body)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return leaves, nil
		}
		if err != nil {
			return nil, err
		}
		place := fmt.Sprintf("%T %d", token, len(leaves))
		switch token := token.(type) {
		case xml.CharData:
			leaves = append(leaves, leaf{place, string(token)})
		default:
			leaves = append(leaves, leaf{place, fmt.Sprint(token)})
		}
	}
}
