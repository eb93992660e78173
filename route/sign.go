package route

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"
)

// sign puts a signature for region i in the place of the one that a request came with: that is for the router's address.
func (r *Router) sign(ctx context.Context, req *http.Request, body []byte, i int) error {
	if r.o.Credentials == nil {
		return nil
	}
	c, err := r.o.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("no credentials to sign with: %w", err)
	}
	req.Header = req.Header.Clone()
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"} {
		req.Header.Del(name)
	}
	hash := sha256.Sum256(body)
	return r.signer.SignHTTP(ctx, c, req, hex.EncodeToString(hash[:]), "dynamodb", r.o.Regions[i].Name, time.Now())
}
