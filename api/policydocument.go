package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Policy documents (DYNAMODB.md 9.8). The service keeps no text that it is given but the document in a form of its own:
// without white space, members in one order, a list of one as its element, an account as the ARN of its root. A document
// in this form is shown as it was sent, and putting one that comes to the same changes nothing.

type policyDocument struct {
	Version   string            `json:"Version,omitempty"` // none is not the same as the default, which is only shown
	ID        string            `json:"Id,omitempty"`
	Statement []policyStatement `json:"Statement"`
}

type policyStatement struct {
	Sid          string `json:"Sid,omitempty"`
	Effect       string
	Principal    any `json:",omitempty"`
	NotPrincipal any `json:",omitempty"`
	Action       any `json:",omitempty"`
	NotAction    any `json:",omitempty"`
	Resource     any `json:",omitempty"`
	NotResource  any `json:",omitempty"`
	Condition    any `json:",omitempty"`
}

const (
	maxPolicy            = 20 << 10 // bytes, white space too
	defaultPolicyVersion = "2008-10-17"
)

func errPolicy(why string) error { return errInvalid("Invalid policy document: " + why) }

// canonicalPolicy checks a policy and brings it into the form that is kept.
func canonicalPolicy(text string) (string, error) {
	p := policyReader(text)
	switch {
	case len(text) > maxPolicy:
		return "", errInvalid("Maximum policy size of " + strconv.Itoa(maxPolicy) + " bytes exceeded")
	case !json.Valid([]byte(text)):
		return "", errPolicy("This policy contains invalid Json")
	case strings.TrimSpace(text) == "null":
		return "", errPolicy("This text appears not to be a policy")
	case strings.TrimSpace(text)[0] != '{':
		return "", errPolicy("This policy contains invalid Json")
	}
	doc, err := p.document()
	if err != nil {
		return "", err
	}
	return doc.String(), nil
}

// shownPolicy is a kept policy as it is shown.
func shownPolicy(kept string) string {
	if strings.HasPrefix(kept, `{"Version":`) {
		return kept
	}
	return `{"Version":"` + defaultPolicyVersion + `",` + kept[1:]
}

func (d *policyDocument) String() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil { // it was read from JSON
		panic(fmt.Sprintf("api: a policy cannot be written: %v", err))
	}
	return strings.TrimSpace(b.String())
}
