package store

import "context"

// Drain notes that a guacd is to get no new desktops, from any node.
func (s *Store) Drain(ctx context.Context, guacd string) error {
	_, err := s.write.exec(ctx, `INSERT INTO guacd_drains (guacd) VALUES ($1) ON CONFLICT (guacd) DO NOTHING`, guacd)
	return fault("drain", err)
}

// Undrain notes that a guacd gets desktops again.
func (s *Store) Undrain(ctx context.Context, guacd string) error {
	_, err := s.write.exec(ctx, `DELETE FROM guacd_drains WHERE guacd = $1`, guacd)
	return fault("undrain", err)
}

// Drains are the guacds that are being drained.
func (s *Store) Drains(ctx context.Context) ([]string, error) {
	guacds, err := s.read.strings(ctx, `SELECT guacd FROM guacd_drains ORDER BY guacd`)
	return guacds, fault("drains", err)
}
