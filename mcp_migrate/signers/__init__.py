"""How a person signs a decision: SSH keys so far, in `keys`, `sshsig` (verify) and `sign`."""
