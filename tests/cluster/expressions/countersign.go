// countersign, asked from outside: `check` for what it accepts, `serve` for what it evaluates.

package expressions

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"countersign.dev/tests/cluster"
)

// Countersign is the subject that is to be proven.
type Countersign struct {
	signer  *signer
	program string
	dir     string
	runs    int
}

var _ Subject = &Countersign{}

func newCountersign(signer *signer, dir string) (*Countersign, error) {
	program, err := filepath.Abs(cmp.Or(os.Getenv("COUNTERSIGN"), "../../../target/release/countersign"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("%w: `make release` makes it, and COUNTERSIGN names another", err)
	}
	jwks, err := signer.JWKS()
	if err != nil {
		return nil, err
	}
	return &Countersign{signer: signer, program: program, dir: dir}, os.WriteFile(filepath.Join(dir, "jwks.json"), jwks, 0o600)
}

func (c *Countersign) Name() string { return "countersign" }

// prepare makes a configuration of the entries, and gives the address at which it tells of its health.
func (c *Countersign) prepare(entries []Entry) (file, health string, err error) {
	addresses, err := freeAddresses()
	if err != nil {
		return "", "", err
	}
	if err := c.init(addresses[0]); err != nil {
		return "", "", err
	}
	file, err = c.write(entries, addresses)
	return file, addresses[1], err
}

func (c *Countersign) Check(entries []Entry) (map[Place]string, error) {
	file, _, err := c.prepare(entries)
	if err != nil {
		return nil, err
	}
	output, err := exec.Command(c.program, "check", file).CombinedOutput()
	var status *exec.ExitError
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &status) || status.ExitCode() != 78:
		return nil, fmt.Errorf("countersign check: %w: %s", err, tail(output))
	}

	mistakes := map[Place]string{}
	summary := regexp.MustCompile(regexp.QuoteMeta(file) + `: \d+ mistakes?\n$`)
	prefix := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(file) + `:\d+: (?:jwt\[(\d+)\]\.([^: ]+): )?`)
	text := summary.ReplaceAllString(string(output), "")
	found := prefix.FindAllStringSubmatchIndex(text, -1)
	for i, at := range found {
		end := len(text)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		body := strings.TrimSuffix(text[at[1]:end], "\n")
		if at[2] < 0 {
			return nil, fmt.Errorf("countersign check: not about an entry: %s", body)
		}
		index, err := strconv.Atoi(text[at[2]:at[3]])
		if err != nil {
			return nil, err
		}
		mistakes[Place{entries[index].Number, text[at[4]:at[5]]}] = body
	}
	if len(mistakes) == 0 {
		return nil, fmt.Errorf("countersign check: %w: %s", err, tail(output))
	}
	return mistakes, nil
}

func (c *Countersign) Authenticate(entries []Entry) (answers []Answer, err error) {
	file, health, err := c.prepare(entries)
	if err != nil {
		return nil, err
	}
	process, err := cluster.StartProcess("countersign", c.dir, c.program, "serve", "--config", file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, process.Stop()) }()
	err = process.Eventually("readiness", func() error {
		response, err := http.Get("http://" + health + "/readyz")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.askAll(entries)
}

// askAll asks as kube-apiserver would.
func (c *Countersign) askAll(entries []Entry) ([]Answer, error) {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(c.dir, "webhook.kubeconfig"))
	if err != nil {
		return nil, err
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, len(entries))
	return answers, each(len(entries), func(i int) (err error) {
		if answers[i], err = c.ask(client, config.Host, entries[i]); err != nil {
			return fmt.Errorf("entry %d: %w", entries[i].Number, err)
		}
		return nil
	})
}

func (c *Countersign) ask(client *http.Client, url string, entry Entry) (Answer, error) {
	token, err := c.signer.token(entry)
	if err != nil {
		return Answer{}, err
	}
	review := authenticationv1.TokenReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authentication.k8s.io/v1", Kind: "TokenReview"},
		Spec:     authenticationv1.TokenReviewSpec{Token: token},
	}
	body, err := json.Marshal(review)
	if err != nil {
		return Answer{}, err
	}
	response, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated {
		return Answer{}, errors.New(response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(&review); err != nil {
		return Answer{}, err
	}
	status := review.Status
	if !status.Authenticated {
		return Answer{Error: cmp.Or(status.Error, "no opinion")}, nil
	}
	return Answer{UID: status.User.UID, Groups: status.User.Groups, Values: status.User.Extra[valueKey]}, nil
}

// init makes the certificates, and the kubeconfig of those who ask at that address.
func (c *Countersign) init(address string) error {
	kubeconfig := filepath.Join(c.dir, "webhook.kubeconfig")
	if err := os.Remove(kubeconfig); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // init keeps one that is there
	}
	output, err := exec.Command(c.program, "init", "--dir", c.dir, "--server", "https://"+address+"/authenticate").CombinedOutput()
	if err != nil {
		return fmt.Errorf("countersign init: %w: %s", err, output)
	}
	return nil
}

// write makes a configuration with these entries. It has the keys and the reserved names that
// upstream has not.
func (c *Countersign) write(entries []Entry, addresses []string) (string, error) {
	var list []any
	for _, entry := range entries {
		written, err := entry.v1()
		if err != nil {
			return "", err
		}
		issuer := written["issuer"].(map[string]any)
		issuer["jwksFile"] = "jwks.json"
		issuer["allowReserved"] = true
		list = append(list, written)
	}
	text, err := json.Marshal(map[string]any{
		"apiVersion": "countersign.dev/v1alpha1", "kind": "Configuration",
		"apiAudiences": []string{"https://kubernetes.default.svc"},
		"listen": map[string]any{
			"address": addresses[0], "certificateFile": "tls.crt", "privateKeyFile": "tls.key",
			"clientCAFile": "client-ca.crt", "clientNames": []string{"kube-apiserver"},
		},
		"admin": map[string]any{"address": addresses[1]},
		"jwt":   list,
	})
	if err != nil {
		return "", err
	}
	text = ascii(text)
	c.runs++
	file := filepath.Join(c.dir, fmt.Sprintf("%d.json", c.runs))
	return file, os.WriteFile(file, text, 0o600)
}

// ascii escapes all other letters of a JSON text: what may be written as it is, is tested elsewhere.
func ascii(text []byte) []byte {
	var out []byte
	for _, letter := range string(text) {
		switch {
		case letter < 0x7f:
			out = append(out, byte(letter))
		case letter > 0xffff:
			high, low := utf16.EncodeRune(letter)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, letter)
		}
	}
	return out
}

// freeAddresses are two that nobody listens on.
func freeAddresses() ([]string, error) {
	var addresses []string
	for range 2 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

func tail(output []byte) string {
	return string(output[max(0, len(output)-2000):])
}
