// Package webroot is what the browser gets: page templates, the built scripts
// and styles, and the texts of each language. It is data and its loading; the
// gateway fills it in.
package webroot
