#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What is done to a guest hypervisor whose guest is busy is interrupted, at random moments:
#	torn_l0 TIMES save|checkpoint|apply|start|migrate...
# each so many times, in turn by an end of the VM's process, of the command, of the other
# side's, of the connection, and by a full disk. Afterwards there is the old state or the
# new one: the guest's guest goes on where it stood, or from a state that is whole. Only a VM
# whose own process was ended is off, as by a power cut, and its checkpoint is there.
# With e2e.seed=N on the kernel's command line the same moments come again.
. /bin/state_common

state_dir=$NESTVM_STATE_DIR/vms
disk=$NESTVM_STATE_DIR/disk.img

# Below $1, in $chance.
random() {
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	chance=$(((seed >> 8) % $1))
}

# Since the machine started, in ms; it has been longer than 1 s.
now() {
	read -r up _ < /proc/uptime
	echo "${up%.*}${up#*.}0"
}

state_of() { nestvm list | awk -v vm="$1" '$1 == vm { print $2 }'; }
vm_pid() { read -r pid _ < "$state_dir/$1/run.lock" && echo "$pid"; }
child_of() { tr -d ' ' < "/proc/$1/task/$1/children" 2> /dev/null; }
disk_holds() { head -c 4 "$disk"; }
put_on_disk() { printf %s "$1" | dd of="$disk" conv=notrunc 2> /dev/null; }

# Runs a command of nestvm's and at a random moment of it ends $victim.
strike() {
	began=$(now)
	nestvm "$@" > /tmp/said 2>&1 &
	command=$!
	random "$duration"
	at=$chance
	usleep $((at * 1000))
	case $victim in
	vm | source) hit=$(vm_pid a) ;;
	command) hit=$command ;;
	child) hit=$(child_of $command) ;;
	receiver) hit=$receiver ;;
	target) hit=$(child_of $receiver) ;;
	*) hit= ;;
	esac
	if [ "$hit" ] && kill -9 "$hit" 2> /dev/null; then
		hits=$((hits + 1))
	elif [ "$victim" != nobody ] && [ "$victim" != link ]; then
		at="$at, too late"
	fi
	wait $command
	status=$?
	took=$(($(now) - began))
}

# ... or lets the disk be full after a random part of what it writes.
fill() {
	random "$size"
	at="with $chance KB left"
	used=$(df -k "$NESTVM_STATE_DIR" | awk 'END { print $3 }')
	mount -o remount,size=$((used + chance))k "$NESTVM_STATE_DIR"
	nestvm "$@" > /tmp/said 2>&1
	status=$?
	mount -o remount,size=90% "$NESTVM_STATE_DIR"
	[ $status = 0 ] || hits=$((hits + 1))
}

interrupt() {
	if [ "$victim" = disk ]; then
		fill "$@"
	else
		strike "$@"
	fi
}

# What the next command that works on the VM has to find and clear.
leftovers() {
	nestvm unpause "$1" > /dev/null 2>&1
	find "$NESTVM_STATE_DIR" -name '*.new' -o -name '*.tmp' -o -name '.new-*' -o -name '.old-*' \
		-o -name '.gone-*' -o -name '*nestvm-new*' -o -name .journal -o -name .arriving
}

# Until it is clear what has become of the VM, in $state: "running" is one that goes on.
settle() {
	want=$(($(lines) + 2)) waited=0
	while :; do
		state=$(state_of a)
		# While something is still done to it, it is paused.
		[ "$state" = running ] || [ "$state" = paused ] || return
		[ "$(lines)" -lt $want ] || return
		# A VM that started behind the back of its command.
		kill -0 "$listener" 2> /dev/null || listen
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 60 ] || fail "$what: the VM is $state and says nothing more"
	done
}

# From the checkpoint that was made first.
to_base() {
	went_back base
	nestvm checkpoint apply a base || fail "$what: the checkpoint cannot be applied"
	nestvm start a || fail "$what: the checkpoint does not start"
	listen
	goes_on 60 1
}

from_saved() {
	nestvm start a || fail "$what: the saved state does not start"
	listen
	goes_on 60 1
}

# Was the VM off for a reason? Then it has its checkpoint.
power_cut() {
	[ "$state" = off ] || fail "$what: the VM is \"$state\""
	case $victim in
	vm | child | source | target) ;;
	*) fail "$what: the VM is off" ;;
	esac
	to_base
}

torn_save() {
	interrupt save --no-compress a
	settle
	case $state in
	running) outcome=old ;;
	saved) outcome=new; from_saved ;;
	*) outcome="cut"; power_cut ;;
	esac
}

torn_checkpoint() {
	interrupt checkpoint create --no-compress a torn
	settle
	outcome=old
	if nestvm checkpoint list a | grep -q " torn$"; then
		outcome=new
		[ "$state" = off ] || nestvm kill a || fail "$what: kill ended with $?"
		went_back "torn$turn"
		nestvm checkpoint apply a torn || fail "$what: what is listed cannot be applied"
		nestvm start a || fail "$what: what is listed does not start"
		listen
		goes_on 60 1
		nestvm checkpoint remove a torn || fail "$what: it cannot be removed"
	elif [ "$state" != running ]; then
		outcome="cut"
		power_cut
	fi
}

# The VM is saved; disk, configuration and state are the old ones or the checkpoint's.
torn_apply() {
	nestvm save --no-compress a || fail "$what: save ended with $?"
	wait "$listener"
	put_on_disk old.
	sed -i 's/e2e.l2=busy/& old/' "$state_dir/a/config.json"
	interrupt checkpoint apply a base
	nestvm checkpoint list a > /dev/null || fail "$what: the list cannot be read"
	nestvm unpause a > /dev/null 2>&1
	[ "$(state_of a)" = saved ] || fail "$what: the saved state is gone"
	outcome=new
	grep -q 'e2e.l2=busy old' "$state_dir/a/config.json" && outcome=old
	if [ $outcome = new ]; then
		[ "$(disk_holds)" = base ] || fail "$what: the disk is not the checkpoint's"
		went_back base
	elif [ "$(disk_holds)" != old. ]; then
		fail "$what: the disk is the checkpoint's, the VM is not"
	fi
	# The lines tell whose the memory is.
	from_saved
}

torn_start() {
	nestvm save --no-compress a || fail "$what: save ended with $?"
	interrupt start a
	settle
	case $state in
	running) outcome=new ;;
	saved)
		outcome=old
		# It may yet start without its command; then that is what is said here.
		nestvm start a 2> /tmp/said || grep -q VM_RUNNING /tmp/said ||
			fail "$what: the saved state does not start: $(cat /tmp/said)"
		listen
		goes_on 60 1 ;;
	*) outcome="cut"; power_cut ;;
	esac
}

# The connection ends somewhere in what is sent, or around an answer of the target.
break_link() {
	random 2
	if [ "$chance" = 0 ]; then
		random "$size"
		set -- bytes $((chance * 1024 + 1))
	else
		random 6
		set -- "$([ $((chance % 2)) = 0 ] && echo answers || echo after)" $((chance / 2))
	fi
	relay 7312 7311 "$@" &
	link="$*"
	to=127.0.0.1:7312
	until grep -q ':1C90 00000000:0000 0A' /proc/net/tcp; do usleep 50000; done
}

# Both are there until the last word has been said, and not longer.
one_side() {
	waited=0
	while :; do
		there=$(state_of b)
		case $(state_of a)/$there in
		*/ | */off | off/*) return ;;
		esac
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 60 ] || fail "$what: both sides are there"
	done
}

torn_migrate() {
	nestvm receive b --listen 127.0.0.1 > /tmp/receive 2>&1 &
	receiver=$!
	until grep -q ':1C8F 00000000:0000 0A' /proc/net/tcp; do
		kill -0 $receiver || fail "$what: receive: $(cat /tmp/receive)"
		usleep 50000
	done
	to=127.0.0.1 link=
	[ "$victim" != link ] || break_link
	strike migrate a --to "$to"
	at="$at $link"
	[ -z "$link" ] || [ $status = 0 ] || hits=$((hits + 1))
	wait $receiver
	one_side
	settle
	case $state/$there in
	running/ | running/off)
		outcome=old
		[ $status != 0 ] || fail "$what: migrate said that it has gone" ;;
	off/running)
		outcome=new
		vm=b
		listen
		goes_on
		nestvm kill b || fail "$what: kill ended with $?"
		vm=a
		to_base ;;
	off/ | off/off)
		outcome="cut"
		power_cut ;;
	*) fail "$what: the source is $state, the target is $there" ;;
	esac
	nestvm unpause b > /dev/null 2>&1
	[ -z "$(state_of b)" ] || nestvm remove b || fail "$what: remove ended with $?"
}

# How long it takes when nobody interrupts it, in ms, and how much it writes, in KB.
measure() {
	victim=nobody duration=1
	"torn_$1"
	[ "$outcome" = new ] || fail "$1 did nothing without an interruption: $(cat /tmp/said)"
	duration=$took
	size=$(du -sk "$state_dir/a/checkpoints" | cut -f1)
}

victims() {
	case $1 in
	save | checkpoint) echo vm command disk ;;
	apply) echo command disk ;;
	start) echo child command ;;
	migrate) echo source target link command receiver ;;
	esac
}

seed=$(tr ' ' '\n' < /proc/cmdline | sed -n 's/^e2e.seed=//p' | tail -n 1)
[ "$seed" ] || seed=$(od -A n -N 3 -t u4 /dev/urandom | tr -d ' ')
echo "e2e: torn: the same again: --append e2e.seed=$seed"
mkdir -p "$NESTVM_STATE_DIR"
mount -t tmpfs -o size=90% tmpfs "$NESTVM_STATE_DIR" || fail "no file system for the VMs"
dd if=/dev/zero of="$disk" bs=64k count=1 2> /dev/null
put_on_disk base
times=$1
shift
state_begin --disk "$disk"
nestvm checkpoint create --no-compress a base || fail "checkpoint create ended with $?"
goes_on
nestvm check a > /dev/null
checked=$?
for op in "$@"; do
	what="$op, undisturbed"
	measure "$op"
	echo "e2e: torn: $op takes $duration ms for $size KB"
	turn=0 hits=0
	while [ $turn -lt "$times" ]; do
		for victim in $(victims "$op"); do
			[ $turn -lt "$times" ] || break
			turn=$((turn + 1))
			what="$op, turn $turn, $victim"
			"torn_$op"
			echo "e2e: torn: $what at $at: $outcome ($status)"
			left=$(leftovers a)
			[ -z "$left" ] || fail "$what: left over: $left"
			nestvm check a > /dev/null
			[ $? = $checked ] || fail "$what: check does not end with $checked"
			check
		done
	done
	[ $((hits * 2)) -ge "$times" ] || fail "$op: only $hits of $times came in time"
done
state_end
