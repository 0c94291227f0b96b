"""How a person signs a decision: SSH keys in `keys`, `sshsig` (verify) and `sign`, passkeys in `passkey`."""
