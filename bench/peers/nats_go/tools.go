// SPDX-License-Identifier: Apache-2.0

//go:build tools

// The server is installed beside the publisher: go.mod and go.sum pin it, too.
package main

import _ "github.com/nats-io/nats-server/v2"
