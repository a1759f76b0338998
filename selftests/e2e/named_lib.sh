# SPDX-License-Identifier: GPL-2.0
# What the tests of named VMs share: sourced by named_l0.sh and named_life_l0.sh.
export NESTVM_STATE_DIR=/tmp/state NESTVM_RUN_DIR=/tmp/run

fail() {
	echo "named: FAIL: $*"
	sed 's/^/| /' /tmp/said /tmp/console /tmp/state/vms/*/log 2> /dev/null | tail -n 40
	exit 1
}

ok() {
	nestvm "$@" > /tmp/said 2>&1 || fail "nestvm $* ended with $?"
}

# refused STATUS REASON COMMAND...
refused() {
	wanted=$1 reason=$2
	shift 2
	nestvm "$@" > /tmp/said 2>&1
	was_refused $? "$@"
}

# The last answer, and the STATUS of the COMMAND that gave it: was_refused STATUS COMMAND...
was_refused() {
	got=$1
	shift
	[ "$got" = "$wanted" ] || fail "nestvm $* ended with $got and not $wanted"
	grep -q "\[$reason\]" /tmp/said || fail "nestvm $* was not refused with $reason"
}

# The console has TEXT on it within SECONDS: heard SECONDS TEXT
heard() {
	waited=0
	until grep -q "named: $2" /tmp/console; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt "$1" ] || fail "the guest did not say \"$2\" within $1 s"
	done
}

# The VM is in STATE within SECONDS: comes_to VM STATE SECONDS
comes_to() {
	waited=0
	until nestvm list | grep -q "^$1  *$2"; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt "$3" ] || fail "VM $1 is not $2 within $3 s: $(nestvm list)"
	done
}

# A row of the last answer of "check": verdict ID
verdict() {
	tr -d '\n' < /tmp/said | sed "s/.*\"id\": \"$1\"[^}]*\"verdict\": \"\([A-Z]*\)\".*/\1/"
}

checked() {
	nestvm check --json > /tmp/said
	[ "$(verdict "$1")" = "$2" ] || fail "check says $(verdict "$1") and not $2 of $1"
}

unload() {
	counters_zero || fail "something is left of the VM"
	rmmod nestvm || fail "nestvm does not unload"
}
