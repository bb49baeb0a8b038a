package gateway

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what operators plot. No label holds what a person typed.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec // seconds, by route and status
	events   *prometheus.CounterVec   // audit events by kind and result
}

func newMetrics(live func() int) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stagedoor_request_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10},
		}, []string{"route", "status"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stagedoor_events_total", Help: "Audit events.",
		}, []string{"kind", "result"}),
	}
	desktops := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "stagedoor_desktops", Help: "Live desktops on this node.",
	}, func() float64 { return float64(live()) })
	m.registry.MustRegister(m.requests, m.events, desktops,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// MetricsServer answers GET /metrics, for a listener of its own that only the
// operator reaches.
func (p *Portal) MetricsServer() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.metrics.registry, promhttp.HandlerOpts{}))
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
}
