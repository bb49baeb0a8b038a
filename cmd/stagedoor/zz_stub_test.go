package main
import ("context";"io")
func serve(ctx context.Context, args, environ []string, stdout io.Writer) error { return nil }
func check(ctx context.Context, args, environ []string, stdout io.Writer) error { return nil }
