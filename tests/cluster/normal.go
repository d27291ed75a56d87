// An answer in a form in which those of two servers can be compared: whole, with names for what
// cannot be the same.
//
//	{address}, {uid of Pod web}  what only this server calls so
//	{issuer}, {key}              whose tokens are its own, and what it signs them with
//	{uuid}                       any other, such as a token's `jti`
//	{now}, {now+3600s}           when it was asked, and after; in steps of 30 s
//	{iat+600}                    in a token: seconds after its `iat`, exactly
//	{when}                       the time and the process of a log line of kubectl
//	{source}                     a place in the source of kube-apiserver, which depends on its build
//
// A document keeps the order of its members, and a JWT is shown as what it says. Nothing else is
// changed or left out, so that whatever differs is seen.

package cluster

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// step is how far apart two moments are at least that are told apart. A request takes less.
const step = 30 * time.Second

// Normal is an answer, or a part of one, that was asked for at this moment. What looks like a
// document of Kubernetes, in JSON or YAML, is printed as one; edits are made to it before.
func (s *Side) Normal(answer string, asked time.Time, edits ...func(document *yaml.Node)) string {
	p := printer{side: s, asked: asked.Truncate(time.Second)}
	document, ok := parseDocument(answer)
	if !ok {
		return p.text(answer)
	}
	for _, edit := range edits {
		edit(document)
	}
	p.node("", "", document)
	return layout(answer) + p.out.String()
}

var documentStart = regexp.MustCompile(`(?m)\A\{|^(apiVersion|kind): `)

func parseDocument(text string) (*yaml.Node, bool) {
	if !documentStart.MatchString(text) {
		return nil, false
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil || len(document.Content) != 1 {
		return nil, false
	}
	root := document.Content[0]
	return root, root.Kind == yaml.MappingNode
}

// layout is how a document was written: one that is indented ends without a newline, or not.
func layout(text string) string {
	form := "YAML"
	if strings.HasPrefix(text, "{") {
		form = "JSON"
		if strings.HasPrefix(text, "{\n") {
			form += ", indented"
		}
	}
	if !strings.HasSuffix(text, "\n") {
		form += ", no newline at the end"
	}
	return "# " + form + "\n"
}

// printer writes a document line by line.
type printer struct {
	side  *Side
	asked time.Time
	// issued is the `iat` of the token whose claims are being printed.
	issued *int64
	out    strings.Builder
}

// node prints what comes after "key:" or "-".
func (p *printer) node(indent, key string, node *yaml.Node) {
	switch node.Kind {
	case yaml.MappingNode:
		if len(node.Content) == 0 {
			fmt.Fprintln(&p.out, " {}")
			return
		}
		p.newline(indent)
		for i := 0; i < len(node.Content); i += 2 {
			key := node.Content[i].Value
			fmt.Fprintf(&p.out, "%s%s:", indent, p.text(key))
			p.node(indent+"  ", key, node.Content[i+1])
		}
	case yaml.SequenceNode:
		if len(node.Content) == 0 {
			fmt.Fprintln(&p.out, " []")
			return
		}
		p.newline(indent)
		for _, element := range node.Content {
			fmt.Fprintf(&p.out, "%s-", indent)
			p.node(indent+"  ", "", element)
		}
	default:
		p.scalar(indent, key, node)
	}
}

func (p *printer) newline(indent string) {
	if indent != "" {
		fmt.Fprintln(&p.out)
	}
}

func (p *printer) scalar(indent, key string, node *yaml.Node) {
	if node.ShortTag() != "!!str" {
		fmt.Fprintf(&p.out, " %s\n", p.number(key, node.Value))
		return
	}
	switch {
	case (key == "iss" || key == "issuer") && node.Value == p.side.Issuer:
		fmt.Fprintln(&p.out, " {issuer}")
	case key == "kid" || key == "x" || key == "y":
		fmt.Fprintln(&p.out, " {key}")
	case jwtText.MatchString(node.Value):
		fmt.Fprint(&p.out, " ")
		p.token(indent, node.Value)
	default:
		fmt.Fprintf(&p.out, " %q\n", p.text(node.Value))
	}
}

// number is one, or `null`, `true`, `false`. In a token the great ones are times.
func (p *printer) number(key, text string) string {
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || p.issued == nil || value < 1e9 {
		return text
	}
	if key == "iat" {
		return p.moment(time.Unix(value, 0))
	}
	return fmt.Sprintf("{iat%+d}", value-*p.issued)
}

// moment is a time in relation to the question. One that has nothing to do with it stays.
func (p *printer) moment(moment time.Time) string {
	after := moment.Sub(p.asked)
	if after < -step || after > 100*365*24*time.Hour {
		return moment.UTC().Format(time.RFC3339)
	}
	if after = after.Truncate(step); after == 0 {
		return "{now}"
	}
	return fmt.Sprintf("{now%+ds}", int(after.Seconds()))
}

var (
	jwtText  = regexp.MustCompile(`\AeyJ[\w-]+\.eyJ[\w-]+\.[\w-]+\z`)
	anyJWT   = regexp.MustCompile(`eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+`)
	anyTime  = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	anyUUID  = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
	anyPlace = regexp.MustCompile(`"[\w./-]+\.go:\d+"`)
	logLine  = regexp.MustCompile(`(?m)^([IWEF])\d{4} [\d:.]+ +\d+ `)
)

// text is a string of a document, or what is none.
func (p *printer) text(text string) string {
	text = p.side.named(text)
	text = anyJWT.ReplaceAllStringFunc(text, func(token string) string {
		opened := printer{side: p.side, asked: p.asked}
		opened.token("  ", token)
		return opened.out.String()
	})
	text = anyTime.ReplaceAllStringFunc(text, func(text string) string {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return text
		}
		return p.moment(moment)
	})
	text = anyPlace.ReplaceAllString(text, `"{source}"`)
	text = logLine.ReplaceAllString(text, "$1 {when} ")
	return anyUUID.ReplaceAllString(text, "{uuid}")
}

// token prints a JWT as what it says, believed without a proof.
func (p *printer) token(indent, token string) {
	parts := strings.Split(token, ".")
	fmt.Fprintln(&p.out, "a token")
	for i, name := range []string{"header", "claims"} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		document, ok := parseDocument(string(text))
		if err != nil || !ok {
			fmt.Fprintf(&p.out, "%s%s: %q\n", indent, name, parts[i])
			continue
		}
		p.issued = new(int64)
		if iat := member(document, "iat"); iat != nil {
			*p.issued, _ = strconv.ParseInt(iat.Value, 10, 64)
		}
		fmt.Fprintf(&p.out, "%s%s:", indent, name)
		p.node(indent+"  ", "", document)
		p.issued = nil
	}
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	fmt.Fprintf(&p.out, "%ssignature: %d bytes\n", indent, len(signature))
}

// members are those of a mapping, by name.
func members(node *yaml.Node) map[string]*yaml.Node {
	all := map[string]*yaml.Node{}
	for i := 0; node != nil && node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
		all[node.Content[i].Value] = node.Content[i+1]
	}
	return all
}

// member is what a document has at a path, or nil.
func member(node *yaml.Node, path ...string) *yaml.Node {
	for _, name := range path {
		node = members(node)[name]
	}
	return node
}

// drop takes a member out of a mapping, if it is there.
func drop(node *yaml.Node, name string) {
	for i := 0; node != nil && node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			node.Content = append(node.Content[:i], node.Content[i+2:]...)
			return
		}
	}
}
