"""The listeners: sockets and clocks around the protocol cores of `sekisho.wire`."""
