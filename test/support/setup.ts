// As in main: modes are stated where files are made, and mean what they say.
process.umask(0)
