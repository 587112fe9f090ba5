"""What happens: one function per verb, atomic, decided again under the lock, with its history."""
