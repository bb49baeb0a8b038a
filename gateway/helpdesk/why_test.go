package helpdesk

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

func TestWhy(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	in := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	try := func(kind, result, reason string, minutes int) store.Event {
		return store.Event{Kind: kind, Result: result, Reason: reason, At: ago(minutes)}
	}
	required := func(has ...factor.Kind) *factor.Status {
		return &factor.Status{State: factor.State{Want: factor.Want{Need: factor.Required}, Has: has}}
	}
	enrols := &factor.Status{State: factor.State{Want: factor.Want{Need: factor.Required, Enrol: []factor.Kind{factor.SMS}}}}
	sent := func(state store.SendState, reason string) []Message {
		return []Message{{At: ago(2), State: state, Reason: reason}}
	}
	for _, c := range []struct {
		name  string
		facts Facts
		want  []string
	}{
		{"nothing", Facts{}, []string{"nothing"}},
		{"gone", Facts{Gone: true, Limits: Limits{CodeBlocked: true}}, []string{"gone"}},
		{"directory out", Facts{DirectoryOut: true}, []string{"directory-out"}},
		{"disabled: nothing else of the account counts", Facts{State: directory.State{Disabled: true, Locked: true, PasswordExpired: true}}, []string{"disabled"}},
		{"ended", Facts{State: directory.State{Ended: true}}, []string{"ended"}},
		{"locked", Facts{State: directory.State{Locked: true}}, []string{"locked -> unlock"}},
		{"locked for a while, and expired", Facts{State: directory.State{Locked: true, LockedUntil: in(9), PasswordExpired: true}}, []string{"locked-for -> unlock", "expired"}},
		{"must change", Facts{State: directory.State{MustChange: true, PasswordExpired: true}}, []string{"must-change"}},
		{"logon hours", Facts{Tries: []store.Event{try("login", "refused", "logon-hours", 1)}}, []string{"logon-hours"}},
		{"logon hours, and well since", Facts{Tries: []store.Event{try("login", "ok", "", 1), try("login", "refused", "logon-hours", 2)}}, []string{"nothing"}},
		{"no number", Facts{Phone: Phone{Problem: "empty"}}, []string{"no-number"}},
		{"bad number", Facts{Phone: Phone{Problem: "unreadable"}}, []string{"bad-number"}},
		{"fixed line", Facts{Phone: Phone{Problem: "not-mobile"}}, []string{"not-mobile"}},
		{"foreign", Facts{Phone: Phone{Problem: "country"}}, []string{"country"}},
		{"no number, and one waits", Facts{Phone: Phone{Problem: "empty", Pending: &PendingNumber{Masked: "••• 0622"}}}, []string{"first-pending"}},
		{"no number, but an app", Facts{Phone: Phone{Problem: "empty"}, Factors: required(factor.App)}, []string{"no-number"}},
		{"no number, and they set up what they need themselves", Facts{Phone: Phone{Problem: "empty"}, Factors: enrols}, []string{"must-enrol"}},
		{"the same, and helpdesk's number waits", Facts{Phone: Phone{Problem: "empty", Pending: &PendingNumber{Masked: "••• 0622"}}, Factors: enrols}, []string{"first-pending", "must-enrol"}},
		{"the same, with a fixed line in the directory", Facts{Phone: Phone{Problem: "not-mobile"}, Factors: enrols}, []string{"not-mobile", "must-enrol"}},
		{"a number that the policy does not take", Facts{Factors: required()}, []string{"no-factor"}},
		{"wrong passwords", Facts{Tries: []store.Event{try("login", "refused", "wrong-password", 1), try("code-sent", "ok", "", 2), try("login", "refused", "wrong-password", 3)}}, []string{"wrong-password 2"}},
		{"wrong passwords, and a right one since", Facts{Tries: []store.Event{try("login", "ok", "", 1), try("login", "refused", "wrong-password", 3)}}, []string{"nothing"}},
		{"wrong passwords long ago", Facts{Tries: []store.Event{try("login", "refused", "wrong-password", 31)}}, []string{"nothing"}},
		{"throttled", Facts{Limits: Limits{WrongPasswords: 5, PasswordUntil: in(3)}, Tries: []store.Event{try("login", "refused", "wrong-password", 1)}}, []string{"password-limit 5 -> clear-password"}},
		{"throttled, but not in a browser they know", Facts{Limits: Limits{WrongPasswords: 3, PasswordUntil: in(3), FamiliarAllowed: 2}}, []string{"password-strange 3 -> clear-password"}},
		{"throttled there too", Facts{Limits: Limits{WrongPasswords: 3, PasswordUntil: in(3), FamiliarWrong: 2, FamiliarAllowed: 2, FamiliarUntil: in(5)}}, []string{"password-limit 3 -> clear-password"}},
		{"throttled until a moment ago", Facts{Limits: Limits{WrongPasswords: 5, PasswordUntil: ago(1)}}, []string{"nothing"}},
		{"codes locked", Facts{Limits: Limits{WrongCodes: 10, CodeUntil: in(15)}, Tries: []store.Event{try("code", "refused", "wrong", 1)}}, []string{"code-locked 10 -> clear-codes"}},
		{"codes blocked", Facts{Limits: Limits{WrongCodes: 100, CodeBlocked: true}}, []string{"code-blocked 100 -> clear-codes"}},
		{"hour's messages", Facts{Limits: Limits{Sends: []SendLimit{{factor.SMS, "hour", in(20)}}}}, []string{"send-limit -> clear-sends"}},
		{"breaker", Facts{Limits: Limits{Sends: []SendLimit{{factor.SMS, "prefix", in(9)}}}}, []string{"send-breaker"}},
		{"hour's mails, and no number", Facts{Limits: Limits{Sends: []SendLimit{{factor.Mail, "hour", in(20)}}}}, []string{"send-limit -> clear-sends"}},
		{"no SMS, but mail", Facts{Limits: Limits{Sends: []SendLimit{{factor.SMS, "country", in(9)}, {factor.Mail, "", time.Time{}}}}}, []string{"no-sms"}},
		{"no mail, but SMS", Facts{Limits: Limits{Sends: []SendLimit{{factor.SMS, "", time.Time{}}, {factor.Mail, "day", in(9)}}}}, []string{"no-mail -> clear-sends"}},
		{"neither SMS nor mail", Facts{Limits: Limits{Sends: []SendLimit{{factor.SMS, "day", in(90)}, {factor.Mail, "total", in(9)}}}}, []string{"send-breaker -> clear-sends"}},
		{"no more codes, but an app: a hint", Facts{Factors: required(factor.SMS, factor.App), Limits: Limits{WrongPasswords: 5, PasswordUntil: in(3),
			Sends: []SendLimit{{factor.SMS, "hour", in(20)}}}}, []string{"password-limit 5 -> clear-password", "send-limit -> clear-sends"}},
		{"not sent", Facts{Messages: sent(store.SendFailed, "refused"), Open: &OpenCode{}}, []string{"not-sent -> resend"}},
		{"not delivered", Facts{Messages: sent(store.SendUndelivered, "")}, []string{"undelivered"}},
		{"dead number", Facts{Messages: sent(store.SendUndelivered, "30005"), Open: &OpenCode{}}, []string{"undelivered-number -> resend"}},
		{"phone off", Facts{Messages: sent(store.SendUndelivered, "stat:EXPIRED")}, []string{"undelivered-unreachable"}},
		{"barred", Facts{Messages: sent(store.SendUndelivered, "REJECTD")}, []string{"undelivered-blocked"}},
		{"delivered and not typed", Facts{Messages: sent(store.SendDelivered, ""), Open: &OpenCode{Left: 5}}, []string{"delivered 5 -> resend"}},
		{"on its way", Facts{Messages: sent(store.SendSent, ""), Open: &OpenCode{Left: 4}}, []string{"waiting-code 4 -> resend"}},
		{"delivered, and used", Facts{Messages: sent(store.SendDelivered, "")}, []string{"nothing"}},
		{"a code for the caller is no cause", Facts{Messages: []Message{{At: ago(1), State: store.SendSent, Purpose: "caller"}}, Open: &OpenCode{Left: 4}}, []string{"nothing"}},
		{"a code for the caller hides no code of theirs", Facts{Messages: []Message{{At: ago(1), State: store.SendSent, Purpose: "caller"}, {At: ago(2), State: store.SendFailed, Purpose: "login"}}}, []string{"not-sent"}},
		{"a code for a first number", Facts{Messages: []Message{{At: ago(1), State: store.SendSent, Purpose: "enrol"}}}, []string{"waiting-code (enrol)"}},
		{"one that did not arrive", Facts{Messages: []Message{{At: ago(1), State: store.SendUndelivered, Reason: "30005", Purpose: "change"}}, Open: &OpenCode{Left: 4}}, []string{"undelivered-number (change)"}},
		{"one that was typed", Facts{Messages: []Message{{At: ago(2), State: store.SendUndelivered, Purpose: "change"}}, Tries: []store.Event{try("phone-code", "ok", "new", 1)}}, []string{"nothing"}},
		{"one that was typed before that", Facts{Messages: []Message{{At: ago(1), State: store.SendDelivered, Ended: ago(1), Purpose: "change"}}, Tries: []store.Event{try("phone-code", "ok", "old", 2)}}, []string{"delivered (change)"}},
		{"a code to prove themselves again", Facts{Messages: []Message{{At: ago(1), State: store.SendFailed, Purpose: "again"}}, Open: &OpenCode{}}, []string{"not-sent -> resend"}},
		{"an address that is held", Facts{Limits: Limits{Addresses: []AddressLimit{{"192.0.2.1", 60, ago(1), in(20)}}}, Tries: []store.Event{try("login", "ok", "", 2)}}, []string{"address-limit 60 -> clear-address"}},
		{"an address that was held until now", Facts{Limits: Limits{Addresses: []AddressLimit{{"192.0.2.1", 60, ago(1), now}}}}, []string{"nothing"}},
		{"an address that is held, and a login since", Facts{Limits: Limits{Addresses: []AddressLimit{{"192.0.2.1", 60, ago(2), in(20)}}}, Tries: []store.Event{try("login", "ok", "", 1)}}, []string{"nothing"}},
		{"told of too much: a hint", Facts{Limits: Limits{Told: otp.Told{Count: 10, Most: 10, Until: in(60)}}, Sessions: []store.Session{{}}}, []string{"told 10", "in 1"}},
		{"told of too much, and has to set something up", Facts{Phone: Phone{Problem: "empty"}, Limits: Limits{Told: otp.Told{Count: 10, Most: 10, Until: in(60)}},
			Factors: &factor.Status{State: factor.State{Want: factor.Want{Need: factor.Required, Enrol: []factor.Kind{factor.App}}}}}, []string{"told 10", "must-enrol"}},
		{"told of much", Facts{Limits: Limits{Told: otp.Told{Count: 9, Most: 10, Until: in(60)}}}, []string{"nothing"}},
		{"frozen, with a change that waits", Facts{Phone: Phone{Frozen: true, Pending: &PendingNumber{}}}, []string{"frozen", "pending"}},
		{"logged in", Facts{Sessions: []store.Session{{}, {}}}, []string{"in 2"}},
		{"what stops comes first", Facts{State: directory.State{Locked: true}, Limits: Limits{CodeUntil: in(5), WrongCodes: 10},
			Tries: []store.Event{try("login", "refused", "wrong-password", 1)}, Sessions: []store.Session{{}}},
			[]string{"locked -> unlock", "code-locked 10 -> clear-codes", "wrong-password 1", "in 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			hint := false
			for _, cause := range why(c.facts, now) {
				got = append(got, cause.String())
				if hint && cause.Stops {
					t.Errorf("%s stops, and comes after a hint", cause)
				}
				hint = hint || !cause.Stops
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("why (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTidyReason(t *testing.T) {
	for reason, want := range map[string]string{
		"ringde in": "ringde in", "  ringde \r\n in\x00 ": "ringde in", "ab": "", "   ": "", "...": "", "...abc": "...abc", "": "",
		"åäö": "åäö",
	} {
		got, err := tidyReason(reason)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("tidyReason(%q) = %q, %v", reason, got, err)
		}
	}
	long := make([]rune, 201)
	for i := range long {
		long[i] = 'ö'
	}
	if _, err := tidyReason(string(long)); err == nil {
		t.Error("201 characters are a reason")
	}
	if _, err := tidyReason(string(long[:200])); err != nil {
		t.Error("200 characters are none")
	}
}

func TestSupportID(t *testing.T) {
	for said, want := range map[string]string{
		"R7K2XXXX": "R7K2XXXX", "r7k2 xxxx": "R7K2XXXX", "O0Il-1L0O": "00111100", "R7K2": "", "R7K2XXXXX": "", "R7K2XXX*": "", "": "",
	} {
		if got := SupportID(said); got != want {
			t.Errorf("SupportID(%q) = %q, want %q", said, got, want)
		}
	}
}

func TestLastFour(t *testing.T) {
	for number, want := range map[string]string{"+46701740607": "••• 0607", "070-174 06 07": "••• 0607", "0607": "", "": "", "no number": ""} {
		if got := LastFour(number); got != want {
			t.Errorf("LastFour(%q) = %q, want %q", number, got, want)
		}
	}
}
