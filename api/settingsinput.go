package api

import (
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

func (s streamInput) check() error {
	switch {
	case s.enabled.v && !s.view.set:
		return errInvalid("StreamSpecification.StreamViewType is required when StreamEnabled is true")
	case s.set && !s.enabled.v && s.view.set:
		return errInvalid("StreamSpecification.StreamViewType should not be specified when StreamEnabled is false")
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
			return d.refuse("SSESpecification.KMSMasterKeyId")
		default:
			return false
		}
		return true
	})
	return s
}

func (s sseInput) constraints(v *violations) {
	v.oneOf("sSESpecification.sSEType", s.kind, enumSSE...)
}

func (s sseInput) check() error {
	if s.kind.s == "AES256" {
		return errInvalid("SSEType AES256 is not supported")
	}
	if s.kind.set && !s.enabled.v {
		return errInvalid("SSEType cannot be specified when Enabled is false")
	}
	return nil
}

func (s sseInput) value() string {
	if s.enabled.v {
		return "KMS"
	}
	return ""
}
