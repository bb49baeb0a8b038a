package admin

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/portal"
	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/targets"
)

// adminPage is what every page of administrators has: Section is desk-nav's,
// Part says which of the administrators' own it is.
type adminPage struct {
	portal.Page
	Section, Part string
}

func (p *Pages) adminPage(v *portal.Visit, part, titleKey string) adminPage {
	return adminPage{Page: p.Page(v, titleKey), Section: "admin", Part: part}
}

// condition is how something is, which the template says in a word.
type condition string

const (
	isGood   condition = "good"
	isLook   condition = "look"   // somebody should look at it
	isBroken condition = "broken" // people cannot work, or soon not
	isOff    condition = "off"    // on purpose
)

type overviewPage struct {
	adminPage
	Worst       condition
	Nodes       []nodeRow
	Guacds      []guacdRow
	Directories []directoryRow
	Senders     []senderRow
	Alarms      []otp.Alarm // of the limits against fraud: codes are being stopped
	Database    databaseFacts
	List        listFacts
	Mail        mailFacts
	AskedAt     time.Time // the peers
}

// mailFacts are of the server that notices and codes by mail go to.
type mailFacts struct {
	Configured bool
	State      condition
	Fault      string
}

type nodeRow struct {
	store.Node
	State    condition
	Own      bool
	Gone     bool // silent for too long
	SameList bool // as this node
}

type guacdRow struct {
	Address  string
	State    condition
	Live     int
	Draining bool
	Fault    string
}

type directoryRow struct {
	directory.Health
	State condition
	Fault string
}

type senderRow struct {
	otp.NodesHealth
	State condition
}

type databaseFacts struct {
	State     condition
	Megabytes int // rounded up
	Events    int
	Oldest    time.Time
	Fault     string
}

type listFacts struct {
	State    condition
	Targets  int
	LoadedAt time.Time
	Problems int // of the newest file, when it was refused
}

// peersAge is how old the peers' answers on the overview may be.
const peersAge = 30 * time.Second

// overview tells administrators how the portal and all that it needs are.
func (p *Pages) overview(w http.ResponseWriter, v *portal.Visit) error {
	// So that this node stands there as it is, and not as it was ten seconds ago.
	if err := p.noteNode(v.Context(), time.Time{}); err != nil {
		v.Log.Warn("this node is not written down", "error", err)
	}
	var mail mailFacts
	var asking sync.WaitGroup
	asking.Go(func() { mail = p.mail.ask(v.Context(), p.Mailer) })
	peers := p.Peers(v.Context(), peersAge)
	asking.Wait()
	data := overviewPage{adminPage: p.adminPage(v, "overview", "title.admin"), AskedAt: peers.At,
		Guacds: p.guacdRows(), Directories: directoryRows(peers.Directories), List: p.listFacts(), Mail: mail}
	var err error
	if data.Nodes, err = p.nodeRows(v); err != nil {
		return err
	}
	data.Senders = p.senderRows(data.Nodes)
	if data.Database, err = p.databaseFacts(v, peers.Database); err != nil {
		return err
	}
	if data.Alarms, err = p.Codes.Alarms(v.Context()); err != nil {
		return fmt.Errorf("overview: %w", err)
	}
	data.Worst = data.worst()
	return p.Render(w, v, http.StatusOK, "admin", data)
}

// worst is the page in a word. A node that stopped on purpose, or whose row is
// all that is left of it, says nothing of those that run.
func (o overviewPage) worst() condition {
	all := []condition{o.Database.State, o.List.State, o.Mail.State}
	for _, n := range o.Nodes {
		all = append(all, n.State)
	}
	for _, g := range o.Guacds {
		all = append(all, g.State)
	}
	for _, d := range o.Directories {
		all = append(all, d.State)
	}
	for _, s := range o.Senders {
		all = append(all, s.State)
	}
	if len(o.Alarms) > 0 {
		all = append(all, isBroken)
	}
	for _, state := range []condition{isBroken, isLook} {
		if slices.Contains(all, state) {
			return state
		}
	}
	return isGood
}

func (p *Pages) nodeRows(v *portal.Visit) ([]nodeRow, error) {
	nodes, err := p.Store.Nodes(v.Context())
	if err != nil {
		return nil, fmt.Errorf("overview: %w", err)
	}
	digest := p.Targets.List().Digest
	rows := make([]nodeRow, len(nodes))
	for i, n := range nodes {
		row := nodeRow{Node: n, State: isGood, Own: n.ID == p.Node, Gone: n.Gone(p.Now()), SameList: n.TargetsDigest == digest}
		switch {
		case !n.StoppedAt.IsZero():
			row.State = isOff
		case row.Gone || n.TargetsError != "" || !row.SameList:
			row.State = isLook
		}
		rows[i] = row
	}
	return rows, nil
}

func (p *Pages) guacdRows() (rows []guacdRow) {
	for _, g := range p.Guacds.States() {
		row := guacdRow{Address: g.Address, Live: g.Live, Draining: g.Draining, State: isGood}
		switch {
		case g.Fault != nil:
			row.State, row.Fault = isBroken, portal.Printable(g.Fault.Error(), 300)
		case g.Draining:
			row.State = isOff
		}
		rows = append(rows, row)
	}
	return rows
}

func directoryRows(servers []directory.Health) (rows []directoryRow) {
	for _, h := range servers {
		row := directoryRow{Health: h, State: isGood}
		if h.Err != nil {
			row.State, row.Fault = isBroken, portal.Printable(h.Err.Error(), 300)
		}
		rows = append(rows, row)
	}
	return rows
}

// senderRows are the senders of codes, as the nodes that run have found them, this
// one first: nothing is sent to find out.
func (p *Pages) senderRows(nodes []nodeRow) (rows []senderRow) {
	host, _ := os.Hostname()
	own := store.Node{Host: host, SeenAt: p.Now(), Senders: p.Codes.Senders()}
	all := []store.Node{own}
	for _, n := range nodes {
		if !n.Own {
			all = append(all, n.Node)
		}
	}
	for _, h := range otp.HealthOfNodes(all, p.Now()) {
		row := senderRow{h, isGood}
		switch {
		case h.Breaker == otp.BreakerOpen:
			row.State = isBroken
		case h.Breaker == otp.BreakerHalfOpen || h.Failing:
			row.State = isLook
		}
		rows = append(rows, row)
	}
	return rows
}

// mailCheck keeps what the mail server answered last. It is not among the peers:
// the portal is ready without it.
type mailCheck struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

func (c *mailCheck) ask(ctx context.Context, mailer *otp.Mailer) mailFacts {
	if mailer == nil {
		return mailFacts{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) >= peersAge {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), portal.PeersTimeout)
		defer cancel()
		c.err = mailer.Check(ctx)
		c.at = time.Now()
	}
	if c.err != nil {
		return mailFacts{true, isBroken, portal.Printable(c.err.Error(), 300)}
	}
	return mailFacts{true, isGood, ""}
}

func (p *Pages) databaseFacts(v *portal.Visit, fault error) (databaseFacts, error) {
	size, err := p.Store.Size(v.Context())
	if err != nil {
		return databaseFacts{}, fmt.Errorf("overview: %w", err)
	}
	facts := databaseFacts{State: isGood, Megabytes: int((size.Bytes + 1<<20 - 1) >> 20), Events: size.Events, Oldest: size.Oldest}
	if fault != nil {
		facts.State, facts.Fault = isBroken, portal.Printable(fault.Error(), 300)
	}
	return facts, nil
}

func (p *Pages) listFacts() listFacts {
	list := p.Targets.List()
	problems, _ := p.Targets.Refused()
	facts := listFacts{State: isGood, Targets: len(list.All()), LoadedAt: list.LoadedAt, Problems: len(problems)}
	if len(problems) > 0 {
		facts.State = isLook
	}
	return facts
}

// hasRole tells whether an account is in one of the groups of a role.
func hasRole(groups []string, account directory.Account) bool {
	return slices.ContainsFunc(groups, account.MemberOf)
}

// place is where a target lies, in a line and without a secret.
func place(t targets.Target) string {
	switch t.Kind {
	case targets.Link:
		return t.URL
	case targets.Document:
		return t.File
	}
	return fmt.Sprintf("%s:%d", t.Host, t.Port)
}
