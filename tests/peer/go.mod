module holdfast/tests/peer

go 1.25

require (
	github.com/coder/websocket v1.8.14
	github.com/hashicorp/yamux v0.1.2
	google.golang.org/protobuf v1.36.10
	storj.io/drpc v0.0.34
)

require github.com/zeebo/errs v1.2.2 // indirect
