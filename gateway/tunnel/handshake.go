package tunnel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// version of the Guacamole protocol. guacd 1.0 announces none.
type version [3]int

// newestVersion is the newest that this tunnel knows; guacd 1.6 speaks it too.
var newestVersion = version{1, 5, 0}

// parseVersion reads "VERSION_1_5_0"; anything else is no version.
func parseVersion(s string) (v version, ok bool) {
	parts := strings.Split(strings.TrimPrefix(s, "VERSION_"), "_")
	if !strings.HasPrefix(s, "VERSION_") || len(parts) != len(v) {
		return version{}, false
	}
	for i, part := range parts {
		n, ok := parseIndex([]byte(part))
		if !ok {
			return version{}, false
		}
		v[i] = n
	}
	return v, true
}

func (v version) String() string { return fmt.Sprintf("VERSION_%d_%d_%d", v[0], v[1], v[2]) }

func (v version) compare(w version) int {
	return cmp.Or(cmp.Compare(v[0], w[0]), cmp.Compare(v[1], w[1]), cmp.Compare(v[2], w[2]))
}

// answerArgs is everything from size to connect, for guacd's args. Values go
// by name, because every guacd lists other names in another order.
func answerArgs(names []string, o *Options) ([]byte, error) {
	if err := lacking(names, o.MustHave); err != nil {
		return nil, err
	}
	values, speaks := make([]string, len(names)), version{1, 0, 0}
	for i, name := range names {
		if theirs, ok := parseVersion(name); ok && i == 0 {
			speaks = theirs
			if theirs.compare(newestVersion) > 0 {
				speaks = newestVersion
			}
			values[i] = speaks.String()
			continue
		}
		values[i] = o.Arguments[name]
		if err := checkValue(values[i]); err != nil {
			return nil, endBadArguments.because("argument %q %v", name, err)
		}
	}
	var audio []string
	if o.Policy.AudioOut {
		audio = o.Audio
	}
	width, height := side(o.Width, 1024), side(o.Height, 768)
	dpi := cmp.Or(min(max(o.DPI, 0), 1000), 96)
	out := appendInstruction(nil, "size", strconv.Itoa(width), strconv.Itoa(height), strconv.Itoa(dpi))
	out = appendInstruction(out, append([]string{"audio"}, audio...)...)
	out = appendInstruction(out, append([]string{"video"}, o.Video...)...)
	out = appendInstruction(out, append([]string{"image"}, o.Image...)...)
	if speaks.compare(version{1, 1, 0}) >= 0 && o.Timezone != "" {
		out = appendInstruction(out, "timezone", o.Timezone)
	}
	if speaks.compare(version{1, 5, 0}) >= 0 && o.Name != "" {
		out = appendInstruction(out, "name", o.Name)
	}
	connect := appendInstruction(nil, append([]string{"connect"}, values...)...)
	if len(connect) > maxInstruction || len(values)+1 > maxElements {
		return nil, endBadArguments.because("%d arguments in %d bytes are more than guacd takes", len(values), len(connect))
	}
	out = append(out, connect...)
	clear(connect)
	return out, nil
}

// lacking fails when guacd does not know an argument that a policy rests on.
func lacking(names, mustHave []string) error {
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	for _, name := range mustHave {
		if !known[name] {
			end := endLacksArgument.because("%q", name)
			end.text = fmt.Sprintf("The remote desktop service does not know %q, which the rules of this desktop need.", printable(name))
			return end
		}
	}
	return nil
}

// checkValue refuses what guacd would read as something else.
func checkValue(s string) error {
	switch {
	case strings.IndexByte(s, 0) >= 0:
		return errors.New("contains NUL")
	case !utf8.ValidString(s):
		return errors.New("is not UTF-8")
	case utf8.RuneCountInString(s) > maxElementRunes:
		return errElementLong
	}
	return nil
}

// sides is the size, in pixels, that guacd gives the desktop: the arguments
// width and height where the target fixes them, else what the browser asked for.
func (o *Options) sides() (width, height int) {
	width, height = side(o.Width, 1024), side(o.Height, 768)
	if n, err := strconv.Atoi(o.Arguments["width"]); err == nil && n > 0 {
		width = side(n, width)
	}
	if n, err := strconv.Atoi(o.Arguments["height"]); err == nil && n > 0 {
		height = side(n, height)
	}
	return width, height
}

// side is a length in pixels that guacd accepts.
func side(pixels, standard int) int {
	if pixels <= 0 {
		return standard
	}
	return min(max(pixels, 64), maxSide)
}

// checkOptions refuses texts that the handshake sends beside connect.
func checkOptions(o *Options) error {
	for _, list := range [][]string{{o.Protocol, o.Timezone, o.Name}, o.Audio, o.Video, o.Image} {
		if len(list) >= maxElements {
			return endBadArguments.because("over %d media types", maxElements)
		}
		for _, s := range list {
			if err := checkValue(s); err != nil || len(s) > 256 {
				return endBadArguments.because("option %.40q is unusable", s)
			}
		}
	}
	return nil
}

// shake does guacd's handshake up to ready (which comes before the desktop is
// reached): select, args, size and so on, connect, ready. What is selected is a
// protocol, for a new desktop, or guacd's name of one to join, which is done
// without the secrets.
func shake(ctx context.Context, l *line, from *source, selected string, o *Options, of *remote) error {
	if err := checkOptions(o); err != nil {
		return err
	}
	*of = remote{guacd: l.guacd, protocol: o.Protocol, policy: o.Policy, arguments: withoutSecrets(o.Arguments)}
	if _, err := l.Write(appendInstruction(nil, "select", selected)); err != nil {
		return lost(ctx, err)
	}
	names, err := await(ctx, from, "args")
	if err != nil {
		return err
	}
	l.answered()
	joining := *o
	if selected != o.Protocol {
		joining.Arguments = of.arguments
	}
	answer, err := answerArgs(names, &joining)
	if err != nil {
		return err
	}
	_, err = l.Write(answer)
	clear(answer) // it held the person's password
	if err != nil {
		return lost(ctx, err)
	}
	ready, err := await(ctx, from, "ready")
	if err != nil {
		return err
	}
	if len(ready) > 0 {
		of.id = ready[0]
	}
	of.holdable = holdable(l.guacd, of.id, names, o)
	return nil
}

// await reads instructions up to the one wanted, and returns its arguments.
func await(ctx context.Context, from *source, opcode string) ([]string, error) {
	for {
		var in instruction
		switch err := in.parse(from.bytes()); err {
		case nil:
		case errIncomplete:
			if err := from.fill(); err != nil {
				return nil, lost(ctx, err)
			}
			continue
		default:
			return nil, endGuacdProtocol.because("handshake: %v", err)
		}
		switch string(in.opcode) {
		case opcode:
			args := in.allArgs()
			from.use(len(in.raw))
			return args, nil
		case "error":
			return nil, guacdError(&in)
		case "disconnect":
			return nil, endLogoff
		case "nop":
			from.use(len(in.raw))
		default:
			return nil, endGuacdProtocol.because("handshake: %.20q instead of %s", in.opcode, opcode)
		}
	}
}

// allArgs is a copy of every argument; connect has more than an instruction
// keeps.
func (in *instruction) allArgs() []string {
	args := make([]string, 0, in.count)
	for at := 0; at < len(in.raw); {
		length, digits, _ := parseLength(in.raw[at:])
		start := at + digits + 1
		end := skipRunes(in.raw, start, length)
		args = append(args, string(in.raw[start:end]))
		at = end + 1
	}
	return args[1:]
}
