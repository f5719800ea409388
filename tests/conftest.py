"""What holds for every suite."""
import signal

# A shell that starts the tests in the background has SIGINT ignored, and programs inherit that; some tests interrupt them.
signal.signal(signal.SIGINT, signal.default_int_handler)
