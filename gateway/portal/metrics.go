package portal

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"stagedoor/gateway/tunnel"
)

// metrics are what operators plot. No label holds what a person typed.
type metrics struct {
	registry *prometheus.Registry
	Requests *prometheus.HistogramVec // seconds, by route and status
	events   *prometheus.CounterVec   // audit events by kind and result
	Alarms   *prometheus.CounterVec   // of the limits on codes, by rule
}

func newMetrics(live func() int, guacds *tunnel.Pool) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		Requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stagedoor_request_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10},
		}, []string{"route", "status"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stagedoor_events_total", Help: "Audit events.",
		}, []string{"kind", "result"}),
	}
	m.Alarms = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "stagedoor_code_alarms_total", Help: "Alarms of the limits on codes against fraud.",
	}, []string{"rule"})
	desktops := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "stagedoor_desktops", Help: "Live desktops on this node.",
	}, func() float64 { return float64(live()) })
	m.registry.MustRegister(m.Requests, m.events, m.Alarms, desktops, guacdMetrics{guacds},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// guacdMetrics are of each guacd, as this node sees it.
type guacdMetrics struct{ pool *tunnel.Pool }

var (
	guacdConnections = prometheus.NewDesc("stagedoor_guacd_connections", "Connections of this node, those included that guacd has not freed yet.", []string{"guacd"}, nil)
	guacdUp          = prometheus.NewDesc("stagedoor_guacd_up", "1 when the guacd answered last.", []string{"guacd"}, nil)
	guacdDraining    = prometheus.NewDesc("stagedoor_guacd_draining", "1 when the guacd gets no new desktops.", []string{"guacd"}, nil)
)

// Describe is prometheus.Collector's.
func (g guacdMetrics) Describe(descriptions chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(g, descriptions)
}

// Collect is prometheus.Collector's.
func (g guacdMetrics) Collect(metrics chan<- prometheus.Metric) {
	for _, state := range g.pool.States() {
		gauge := func(desc *prometheus.Desc, value float64) {
			metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, state.Address)
		}
		gauge(guacdConnections, float64(state.Live))
		gauge(guacdUp, oneIf(state.Fault == nil))
		gauge(guacdDraining, oneIf(state.Draining))
	}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// MetricsServer answers GET /metrics, for a listener of its own that only the
// operator reaches.
func (p *Portal) MetricsServer() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.Metrics.registry, promhttp.HandlerOpts{}))
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
}
