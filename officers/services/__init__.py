"""What officers do: each verb is one function."""
