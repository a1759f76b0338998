# SPDX-License-Identifier: GPL-2.0
# What "nestvm COMMAND --help" prints (argp, without a right margin), as mdoc:
# -v command="switch create" -v part=synopsis, body (what it does, its options) or
# exit (statuses).

# A text for a line of its own: a sentence a line, nothing taken for a macro.
function text(s)
{
	gsub(/\\/, "\\e", s)
	gsub(/--/, "\\-\\-", s)
	gsub(/\.  */, ".\n", s)
	sub(/\n$/, "", s)
	gsub(/\n[.']/, "\n\\\\\\&&", s)
	if (s ~ /^[.']/)
		s = "\\&" s
	return s
}

# "-a, --append=TEXT", "--disk=FILE[,ro]" as words of a tag.
function tag(s,    words, n, i, out, name, arg)
{
	n = split(s, words, /, /)
	out = ".It"
	for (i = 1; i <= n; i++) {
		name = words[i]
		arg = ""
		if (match(name, /\[?=/)) {
			arg = substr(name, RSTART + RLENGTH)
			name = substr(name, 1, RSTART - 1)
			sub(/\]$/, "", arg)
			if (words[i] ~ /\[=/)
				arg = "[" arg "]"
			else if (words[i] ~ /\[/)
				arg = arg "]"
		}
		sub(/^-/, "", name)
		out = out (i > 1 ? " ," : "") " Fl " (name ~ /^-/ ? "Fl " substr(name, 2) : name)
		if (arg != "")
			out = out " Ns = Ns Ar " arg
	}
	return out
}

function end_list()
{
	if (in_list)
		print ".El"
	in_list = 0
}

/^Exit status: / {
	if (part == "exit") {
		sub(/^Exit status: /, "")
		sub(/\.$/, "")
		n = split($0, rows, /; /)
		print ".Bl -tag -width 6n -compact"
		for (i = 1; i <= n; i++) {
			match(rows[i], /^([0-9]+( and up:)?|others)/)
			print ".It " substr(rows[i], 1, RLENGTH)
			print text(substr(rows[i], RLENGTH + 2))
		}
		print ".El"
	}
	next
}

part == "exit" || (part == "synopsis" && !/^(Usage|  or): /) { next }

/^Usage: / || /^  or: / {
	sub(/^(Usage| *or): /, "")
	sub("^nestvm " command " *", "")
	if (part != "synopsis")
		next
	print ".Nm nestvm " command
	n = split($0, words, / /)
	for (i = 1; i <= n; i++) {
		word = words[i]
		if (word == "[OPTION...]")
			print ".Op Ar option ..."
		else if (word ~ /^\[.*\]$/)
			print ".Op Ar " substr(word, 2, length(word) - 2)
		else if (word ~ /^-/)
			print ".Fl " substr(word, 2)
		else
			print ".Ar " word
	}
	next
}

/^Mandatory or optional arguments to long options/ { next }
/^$/ { next }

/^ +(-\?, )?--(help|usage) / { next }

# An option, with its text behind it or on the next line.
/^  +-/ {
	sub(/^ +/, "")
	option = $0
	does = ""
	if (match($0, /  +/)) {
		option = substr($0, 1, RSTART - 1)
		does = substr($0, RSTART + RLENGTH)
	}
	if (!in_list) {
		print ".Bl -tag -width Ds"
		in_list = 1
	}
	print tag(option)
	if (does != "")
		print text(does)
	next
}

/^   +/ && in_list {
	sub(/^ +/, "")
	print text($0)
	next
}

{
	end_list()
	if (described++)
		print ".Pp"
	print text($0)
}

END { end_list() }
