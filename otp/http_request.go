package otp

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"text/template"
)

// values are what the templates of a request see.
type values struct {
	To, Text, ID, Username, Password, Callback string

	secret string // in Callback
}

// requestTemplates are the parts of a request that hold values.
type requestTemplates struct {
	origin  *url.URL // scheme and host, which hold none
	url     *template.Template
	body    *template.Template
	headers []headerTemplate
	media   string // of the body
}

type headerTemplate struct {
	name  string
	value *template.Template
}

// renderedRequest is ready to be sent.
type renderedRequest struct {
	url  *url.URL
	body []byte
}

func newRequestTemplates(config HTTPConfig) (*requestTemplates, error) {
	var problems []error
	parse := func(what, text string) *template.Template {
		parsed, err := template.New(what).Option("missingkey=error").Funcs(template.FuncMap{
			"json": asJSON, "xml": asXML, "path": url.PathEscape,
		}).Parse(text)
		if err != nil {
			problems = append(problems, err)
		}
		return parsed
	}
	// A block of YAML ends with a line break, which belongs to no form.
	r := &requestTemplates{url: parse("url", strings.TrimSpace(config.URL)), body: parse("body", strings.TrimSpace(config.Body))}
	contentType := "application/x-www-form-urlencoded"
	for _, header := range config.Headers {
		if strings.EqualFold(header.Name, "Content-Type") {
			contentType = header.Value
			continue
		}
		r.headers = append(r.headers, headerTemplate{name: header.Name, value: parse("header "+header.Name, header.Value)})
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if config.Body != "" {
		r.headers = append(r.headers, headerTemplate{name: "Content-Type", value: parse("header Content-Type", contentType)})
	}
	var err error
	if r.media, _, err = mime.ParseMediaType(contentType); err != nil {
		return nil, fmt.Errorf("header Content-Type: %w", err)
	}
	switch {
	case config.Method != http.MethodPost && config.Method != http.MethodPut && config.Method != http.MethodGet:
		problems = append(problems, fmt.Errorf("method %q: use POST, PUT or GET", config.Method))
	case config.Method == http.MethodGet && config.Body != "":
		problems = append(problems, errors.New("method GET has no body"))
	}
	return r, errors.Join(append(problems, r.prove(config))...)
}

func asJSON(text string) (string, error) {
	encoded, err := json.Marshal(text)
	return string(encoded), err
}

func asXML(text string) (string, error) {
	var escaped strings.Builder
	err := xml.EscapeText(&escaped, []byte(text))
	return escaped.String(), err
}

// render fills URL and body in. Its errors hold no values.
func (r *requestTemplates) render(v values) (renderedRequest, error) {
	address, err := fill(r.url, v)
	if err != nil {
		return renderedRequest{}, err
	}
	var rendered renderedRequest
	if rendered.url, err = url.Parse(address); err != nil {
		return renderedRequest{}, errors.New("url: a value is not escaped and makes it unreadable: use urlquery or path")
	}
	if rendered.url.Scheme != r.origin.Scheme || rendered.url.Host != r.origin.Host || rendered.url.User != nil {
		return renderedRequest{}, errors.New("url: no value may stand in its host")
	}
	body, err := fill(r.body, v)
	rendered.body = []byte(body)
	return rendered, err
}

// renderHeader fills in what a header can hold: not every text.
func (r *requestTemplates) renderHeader(v values) (http.Header, error) {
	rendered := http.Header{"User-Agent": {"Stagedoor"}}
	for _, header := range r.headers {
		value, err := fill(header.value, v)
		if err != nil {
			return nil, err
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, fmt.Errorf("header %s: a value brings a line break or control character into it; .Text cannot stand there", header.name)
		}
		rendered.Set(header.name, value)
	}
	return rendered, nil
}

func fill(t *template.Template, v values) (string, error) {
	var out bytes.Buffer
	if err := t.Execute(&out, v); err != nil {
		// The template's own error may quote what it was given.
		return "", fmt.Errorf("template %s cannot be filled in", t.Name())
	}
	return out.String(), nil
}

// checkOrigin demands https, but for loopback addresses.
func checkOrigin(address *url.URL, plaintext bool) error {
	loopback := address.Hostname() == "localhost"
	if ip := net.ParseIP(address.Hostname()); ip != nil {
		loopback = ip.IsLoopback()
	}
	switch {
	case address.Hostname() == "":
		return errors.New("url: it names no host")
	case address.User != nil:
		return errors.New("url: put the user name and password into their own settings")
	case address.Scheme == "https", address.Scheme == "http" && (loopback || plaintext):
		return nil
	case address.Scheme == "http":
		return errors.New("url: http would show every code to everybody on the way; use https")
	}
	return fmt.Errorf("url: scheme %q is not https", address.Scheme)
}
