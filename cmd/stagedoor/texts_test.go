package main

import (
	"strings"
	"testing"
)

func TestTexts(t *testing.T) {
	for arguments, want := range map[string]string{
		"texts":               "\nlogin.submit: Logga in\n",
		"texts --language en": "\nlogin.submit: Sign in\n",
	} {
		var out strings.Builder
		if err := run(t.Context(), strings.Fields(arguments), nil, &out); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v, without %q", arguments, err, want)
		}
	}
	for _, arguments := range []string{"texts --language xx", "texts sv"} {
		if err := run(t.Context(), strings.Fields(arguments), nil, &strings.Builder{}); err == nil {
			t.Errorf("%s was taken", arguments)
		}
	}
}
