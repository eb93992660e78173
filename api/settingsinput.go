package api

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/region/catalog"
)

// streamInput is a StreamSpecification.
type streamInput struct {
	enabled flag
	view    text
	set     bool
}

func (d *decoder) stream() (s streamInput) {
	s.set = d.structure("StreamSpecification", func(name string) bool {
		switch name {
		case "StreamEnabled":
			s.enabled = d.flag()
		case "StreamViewType":
			s.view = d.text()
		default:
			return false
		}
		return true
	})
	return s
}

func (s streamInput) constraints(v *violations) {
	if s.set {
		v.required("streamSpecification.streamEnabled", s.enabled.set)
		v.oneOf("streamSpecification.streamViewType", s.view, enumStreamView...)
	}
}

// checkNew checks a new table's stream, check that of a table that is there; the service words them differently.
func (s streamInput) checkNew() error {
	switch {
	case s.enabled.v && !s.view.set:
		return errInvalid("Table is being created with a stream enabled, UpdateViewType is required")
	case s.set && !s.enabled.v && s.view.set:
		return errInvalid("Table is being created with a stream disabled, UpdateViewType should not be specified")
	}
	return nil
}

func (s streamInput) check() error {
	switch {
	case s.enabled.v && !s.view.set:
		return errInvalid("If stream is being enabled then UpdateViewType is required")
	case s.set && !s.enabled.v && s.view.set:
		return errInvalid("If stream is being disabled, then UpdateViewType must not be specified")
	}
	return nil
}

func (s streamInput) value() catalog.StreamSpec {
	return catalog.StreamSpec{Enabled: s.enabled.v, View: s.view.s}
}

// sseInput is an SSESpecification.
type sseInput struct {
	enabled flag
	kind    text
	key     text
	set     bool
}

func (d *decoder) sse() (s sseInput) {
	s.set = d.structure("SSESpecification", func(name string) bool {
		switch name {
		case "Enabled":
			s.enabled = d.flag()
		case "SSEType":
			s.kind = d.text()
		case "KMSMasterKeyId":
			s.key = d.text()
		default:
			return false
		}
		return true
	})
	return s
}

func (s sseInput) constraints(v *violations) {
	v.oneOf("sSESpecification.sSEType", s.kind, enumSSE...)
	v.length("sSESpecification.kMSMasterKeyId", s.key, 1, -1)
}

// on reports whether encryption is asked for. A type alone asks for it too.
func (s sseInput) on() bool { return s.enabled.v || !s.enabled.set && s.kind.set }

func (s sseInput) check() error {
	switch {
	case s.kind.s == "AES256":
		return errInvalid("SSEType AES256 is not supported")
	case !s.on() && s.kind.set:
		return errInvalid("SSEType can not be specified if Enabled is false")
	case !s.on() && s.key.set:
		return errInvalid("KMSMasterKeyId can not be specified if Enabled is false")
	case s.key.set && !s.kind.set:
		return errInvalid("SSEType KMS is required if KMSMasterKeyId is specified")
	}
	return nil
}

func (s sseInput) value() string {
	if s.on() {
		return "KMS"
	}
	return ""
}

// keyARN is the ARN of a key of a region that a client names by its id, its alias or its ARN; "" stands for the service's own
// key, by whatever name.
func (s *Server) keyARN(region, id string) string {
	own := "arn:aws:kms:" + region + ":" + s.account + ":"
	switch {
	case id == "" || id == awsKeyAlias || id == own+awsKeyAlias:
		return ""
	case strings.HasPrefix(id, "arn:"):
		return id
	case strings.HasPrefix(id, "alias/"):
		return own + id
	}
	return own + "key/" + id
}

const awsKeyAlias = "alias/aws/dynamodb"

func checkClass(class text) error {
	if class.set && !slices.Contains(enumClass, class.s) {
		return errValidation("Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS].")
	}
	return nil
}

// checkSettingsMode refuses what only global tables can have (DYNAMODB.md 10.1).
func checkSettingsMode(mode text) error {
	if mode.s == "ENABLED_WITH_OVERRIDES" {
		return errValidation("Value 'ENABLED_WITH_OVERRIDES' at 'GlobalTableSettingsReplicationMode' failed to satisfy constraint: " +
			"Only ENABLED and DISABLED settings replication are supported for a Regional Table.")
	}
	return nil
}
