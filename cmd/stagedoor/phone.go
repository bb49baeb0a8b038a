package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"stagedoor/directory"
	"stagedoor/gateway/helpdesk"
)

const phoneUsage = `  stagedoor phone   VERB 'DOMAIN\user' ... --config FILE [--why TEXT]
                                              help who cannot get in, administrators too: see why, lift
                                              limits, unlock, set a number, replace a lost app or key

Helps who cannot get in, agents and administrators too, whom nobody helps from inside the portal.
Write the name in quotes, since the shell takes a backslash away. Flags may stand anywhere.

Look, which changes nothing:
  show                        what is in the way, in words; the number, limits in force, second factors
  factors                     the second factors alone, with the ids that remove takes
  history                     all that was ever done to the number: who, when, from where, why

Help. --why TEXT (3 to 200 characters) is required and stands in the audit beside your user name;
where the portal's own pages tell the person, by SMS and mail, so does this:
  clear [codes] [sends] [passwords]
                              lift the portal's holds: after wrong codes, after too many messages of an
                              hour or a day, after wrong passwords; all three where none is named
  unlock                      take the directory's lock of wrong passwords off, where the service account may
  set NUMBER                  codes go to this number from now on; old number, new number and mail are told
  verify                      the directory's number is the person's
  withdraw                    withdraw a change of number that waits
  unfreeze                    allow changes of the number again that the person has stopped
  remove app|key|backup|browsers|ID ...
                              take all authenticator apps, all keys, the printed codes or the remembered
                              browsers away, or one app or key by its id
  bypass                      a one-time code that lets the person in within the hour, instead of a second
                              factor, to set a new one up; printed here once, and nowhere else

Somebody who has lost their only app or key: remove it, then bypass.
Whose phone or computer is stolen: stagedoor session end --all-of 'DOMAIN\user', too.`

// phoneCall is one use of `stagedoor phone`.
type phoneCall struct {
	*serverDesk
	person directory.Account
	words  []string // after the person's name
	why    string
}

// phoneVerb is one thing that `stagedoor phone` does.
type phoneVerb struct {
	do          func(*phoneCall, context.Context) error
	least, most int  // words after the person's name
	looks       bool // changes nothing, and takes no reason
}

func phoneVerbs() map[string]phoneVerb {
	return map[string]phoneVerb{
		"show":     {do: (*phoneCall).show, looks: true},
		"factors":  {do: (*phoneCall).factors, looks: true},
		"history":  {do: (*phoneCall).history, looks: true},
		"clear":    {do: (*phoneCall).clear, most: 3},
		"unlock":   {do: (*phoneCall).unlock},
		"set":      {do: (*phoneCall).set, least: 1, most: 1},
		"verify":   {do: (*phoneCall).verify},
		"withdraw": {do: (*phoneCall).withdraw},
		"unfreeze": {do: (*phoneCall).unfreeze},
		"remove":   {do: (*phoneCall).remove, least: 1, most: 20},
		"bypass":   {do: (*phoneCall).bypass},
	}
}

// phone is helpdesk on the portal's own machine, for who is locked out.
func phone(ctx context.Context, args, environ []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("phone", flag.ContinueOnError)
	why := flags.String("why", "", "")
	flags.StringVar(why, "reason", "", "") // as it was called first
	var path string
	words, err := parseWords(flags, args, &path)
	if err != nil {
		return err
	}
	verb, err := phoneVerbOf(words, *why)
	if err != nil {
		return err
	}
	config, err := loadConfig(path, environ)
	if err != nil {
		return err
	}
	desk, err := openDesk(ctx, config, stdout)
	if err != nil {
		return err
	}
	defer desk.close()
	person, err := desk.Directory.Lookup(ctx, words[1])
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return fmt.Errorf(`the directory has no account %q; write 'DOMAIN\user', in quotes`, words[1])
	case err != nil:
		return fmt.Errorf("the directory does not answer, and without it nobody knows whose account that is: %w", err)
	}
	call := &phoneCall{serverDesk: desk, person: person, words: words[2:], why: *why}
	if err := verb.do(call, ctx); err != nil {
		return errors.Join(inWords(err), desk.deliver(ctx)) // of what was done before
	}
	return desk.deliver(ctx)
}

// phoneVerbOf is what the words ask for, or what is wrong with them.
func phoneVerbOf(words []string, why string) (phoneVerb, error) {
	wrong := func(text string) (phoneVerb, error) {
		return phoneVerb{}, usageOf("phone", text)
	}
	if len(words) == 0 {
		return wrong("a verb is missing")
	}
	verb, known := phoneVerbs()[words[0]]
	switch after := len(words) - 2; {
	case !known:
		return wrong(fmt.Sprintf("there is no verb %q", words[0]))
	case after < 0:
		return wrong(words[0] + `: whom? 'DOMAIN\user' is missing`)
	case after < verb.least && words[0] == "set":
		return wrong("set: the NUMBER is missing")
	case after < verb.least:
		return wrong("remove: what? app, key, backup, browsers or the ID of one")
	case after > verb.most:
		return wrong(fmt.Sprintf("%s: unexpected argument %q (a number with spaces stands in quotes)", words[0], words[2+verb.most]))
	case !verb.looks && strings.TrimSpace(why) == "":
		return wrong(words[0] + ": write why, with 3 to 200 characters: --why TEXT. It stands in the audit")
	}
	return verb, nil
}

// name is the person's, as one types it.
func (c *phoneCall) name() string { return c.person.Domain + `\` + c.person.Name }

// say is a line of the command's answer.
func (c *phoneCall) say(format string, args ...any) error {
	_, err := fmt.Fprintf(c.out, format+"\n", args...)
	return err
}

// refusals are why something was not done, in the words of who typed the command.
func refusals() map[helpdesk.Rule]string {
	return map[helpdesk.Rule]string{
		helpdesk.RuleReason:      "write why, with 3 to 200 characters, letters among them: --why TEXT",
		helpdesk.RuleBadNumber:   "this is no mobile number of a country that codes are sent to (codes.countries)",
		helpdesk.RuleSame:        "this is the number already",
		helpdesk.RuleElsewhere:   "by phones.order the number is another source's, or there is no number of the directory",
		helpdesk.RulePending:     "a change of the number waits already: stagedoor phone withdraw comes first",
		helpdesk.RuleFrozen:      "the person has stopped changes of the number: stagedoor phone unfreeze comes first",
		helpdesk.RuleMoved:       "the number has changed meanwhile: look at it again",
		helpdesk.RuleOtherChange: "another change of the number waits now: look at it again",
		helpdesk.RuleTooMany:     "the person has been told of too much today, and a new number must not go untold; stagedoor phone bypass lets them in meanwhile",
		helpdesk.RuleDirectory:   "the directory does not answer",
		helpdesk.RuleUnknown:     "the directory has no such account any more",
		helpdesk.RuleForbidden:   "the service account (bind_dn) has no right to unlock in the directory; docs/helpdesk.md says which it needs",
		helpdesk.RuleNothing:     "there is nothing of that",
	}
}

// inWords says what a refusal means to who has typed the command.
func inWords(err error) error {
	var refused *helpdesk.RefusedError
	if errors.As(err, &refused) {
		if words := refusals()[refused.Rule]; words != "" {
			return errors.New("not done: " + words)
		}
	}
	return err
}

// unknownWord is the first word that is none of those known; empty: all are.
func unknownWord(words []string, known ...string) string {
	for _, word := range words {
		if !slices.Contains(known, word) {
			return word
		}
	}
	return ""
}
