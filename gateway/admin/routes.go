// Package admin is administrators' pages: how the portal and all that it needs
// are, the targets as loaded, and who uses them.
package admin

import (
	"context"
	"time"

	"stagedoor/gateway/portal"
)

// Pages are what the routes lead to.
type Pages struct {
	*portal.Portal
	noteNode func(ctx context.Context, stopped time.Time) error // writes this node down as it is now
	unknown  groupCheck
	mail     mailCheck
}

// Routes are the addresses of administrators' pages.
func Routes(on *portal.Portal, noteNode func(ctx context.Context, stopped time.Time) error) []portal.Route {
	p := &Pages{Portal: on, noteNode: noteNode}
	return []portal.Route{
		portal.On("GET /admin", portal.StepReady, p.overview, portal.Admins),
		portal.On("GET /admin/targets", portal.StepReady, p.adminTargets, portal.Admins),
		portal.On("POST /admin/targets", portal.StepReady, p.viewTargetsAs, portal.Admins),
		portal.On("GET /admin/usage", portal.StepReady, p.adminUsage, portal.Admins),
		portal.On("GET /admin/usage.csv", portal.StepReady, p.exportUsage, portal.Admins),
	}
}
