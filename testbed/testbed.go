// Package testbed starts real peers on loopback, on demand, and stops them: a
// Samba AD domain controller, slapd, guacd, xrdp, an RDP server with NLA,
// Chromium. Tests use it, and so does the demo.
//
//	testbed.Need(t, "samba")                  // skips with one line; fails under CI=true
//	dc, err := testbed.StartSamba(ctx, dir)   // dc.Stop() in t.Cleanup
//
// Every peer is a child in its own process group, killed by its id.
package testbed
