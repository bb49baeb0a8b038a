// Package gateway is the portal: the site map (routes.go), the login flow
// (flow.go), sessions, pages and audit.
//
//	password -> (expired: change) -> code -> ready
package gateway
