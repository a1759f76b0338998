#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host's part of devices.suite: devices_l0 CASE.
fail() {
	echo "dev: FAIL: $*"
	sed 's/^/| /' /tmp/out
	kill -9 "$launcher" 2> /dev/null
	wait
	rmmod nestvm
	exit 1
}

# start "WORDS FOR THE GUEST" [LAUNCHER OPTION...]; what is typed comes from the file $input
input=/dev/null
start() {
	words=$1
	: > /tmp/out
	shift
	nestvm run --kernel /boot/vmlinux --initrd /boot/initramfs --memory 256M \
		--append "$(cat /boot/cmdline) $words" --control /tmp/ctl "$@" < $input > /tmp/out 2>&1 &
	launcher=$!
}

# The guest says TEXT within SECONDS: heard SECONDS TEXT
heard() {
	waited=0
	until grep -q "dev: $2" /tmp/out; do
		sleep 1
		waited=$((waited + 1))
		kill -0 $launcher 2> /dev/null || grep -q "dev: $2" /tmp/out ||
			fail "the launcher ended before the guest said \"$2\""
		[ $waited -lt "$1" ] || fail "the guest did not say \"$2\" within $1 s"
	done
}

say() {
	control_say /tmp/ctl "$@" > /tmp/said || fail "the control socket refused $*: $(cat /tmp/said)"
}

refused() {
	control_say /tmp/ctl "$2" > /tmp/said && fail "the control socket did as told: $2"
	grep -q "\"id\":\"$1\"" /tmp/said || fail "$2 was refused, but not as $1: $(cat /tmp/said)"
}

# A number of the last answer: number NAME [WHICH-OF-THEM]
number() {
	grep -o "\"$1\":[0-9]*" /tmp/said | sed -n "${2:-1}s/.*://p"
}

ended() {
	wait $launcher
	status=$?
	[ $status = 0 ] || fail "the launcher ended with $status"
}

ticks() {
	grep -c "dev: tick" /tmp/out
}

# DHCP and TCP both ways over --net user; a tap with MAC spoofing off and on; a pause.
case_net() {
	insmod /lib/tun.ko
	ip link set lo up
	ip addr add 192.0.2.1/32 dev lo
	echo host-says-hello | nc -l -p 7777 > /tmp/got &
	# So many disks that the second adapter has one of the ISA interrupts.
	disks=
	for n in 1 2 3 4 5 6 7; do
		dd if=/dev/zero of=/tmp/disk$n bs=512 count=1 2> /dev/null
		disks="$disks --disk /tmp/disk$n"
	done
	# shellcheck disable=SC2086  # a list of options
	start dev.do=net $disks --net user,forward=tcp:2222:22 --net tap=tap0,mac=52:00:00:00:00:01
	waited=0
	until ip addr add 192.168.77.1/24 dev tap0 2> /dev/null; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 20 ] || fail "no interface tap0"
	done
	ip link set tap0 up

	heard 100 "address 10.0.2.15/24"
	heard 30 "host says host-says-hello"
	[ "$(cat /tmp/got)" = guest-says-hello ] || fail "the guest's message came as \"$(cat /tmp/got)\""
	heard 30 "loopback closed"
	heard 30 "listens"
	sleep 1
	answer=$(echo host-asks | timeout 20 nc 127.0.0.1 2222)
	[ "$answer" = guest-answers ] || fail "over the forwarded port came \"$answer\""
	heard 30 "forwarded host-asks"

	heard 30 "own address passes"
	say '{"command":"stats"}'
	[ "$(number tx-spoofed 2)" = 0 ] || fail "frames from its own address are counted as spoofed"
	heard 30 "foreign address is stopped"
	say '{"command":"stats"}'
	[ "$(number tx-spoofed 2)" -gt 0 ] || fail "no frame from a foreign address was counted"
	say '{"command":"set-spoofing","arguments":{"adapter":"tap0","on":true}}'
	heard 30 "foreign address passes"

	heard 30 "tick 1"
	say '{"command":"pause"}'
	before=$(ticks)
	sleep 3
	[ "$(ticks)" = "$before" ] || fail "the guest went on while it was paused"
	refused VM_PAUSED '{"command":"powerdown"}'
	refused STATIC_RESIZE '{"command":"set-memory","arguments":{"bytes":134217728}}'
	say '{"command":"unpause"}'
	heard 30 "guest done"
	ended
}

# A number of the memory command's gets within bounds, in MB: memory SECONDS NAME LEAST MOST
memory() {
	waited=0
	while :; do
		say '{"command":"memory"}'
		now=$(($(number "$2") >> 20))
		[ $now -ge "$3" ] && [ $now -le "$4" ] && break
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt "$1" ] || fail "$2 is $now MB after $1 s, should be $3 to $4: $(cat /tmp/said)"
	done
	echo "dev: $2 $now MB after $waited s"
}

rss() {
	awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$launcher/status"
}

set_memory() {
	say "{\"command\":\"set-memory\",\"arguments\":{\"bytes\":$(($1 << 20))}}"
}

# A VM with dynamic memory takes what it needs and gives back what it does not,
# measured on the host; it is resized while it runs.
case_balloon() {
	mkfifo /tmp/in
	exec 3<> /tmp/in
	input=/tmp/in
	start dev.do=balloon --memory 384M --dynamic-memory --memory-min 64M --memory-startup 320M
	heard 100 up
	memory 30 assigned 320 320
	[ "$(rss)" -lt 250 ] || fail "the launcher has $(rss) MB in memory before the guest used as much"

	before=$(rss)
	echo fill >&3
	heard 30 filled
	grown=$(rss)
	echo "dev: resident $before MB, $grown MB after the guest wrote 100 MB"
	[ $((grown - before)) -ge 80 ] || fail "100 MB written by the guest are not seen on the host"
	memory 15 demanded 100 280

	echo free >&3
	heard 30 freed
	memory 30 resident 0 $((grown - 60))
	echo "dev: resident $(rss) MB after it freed them"
	[ $((grown - $(rss))) -ge 60 ] || fail "100 MB freed by the guest are still in the host's memory"
	memory 15 demanded 10 120

	set_memory 128
	memory 30 assigned 128 128
	[ "$(rss)" -lt 150 ] || fail "the launcher has $(rss) MB in memory, the guest 128"
	refused RESIZE_RANGE '{"command":"set-memory","arguments":{"bytes":1048576}}'
	refused RESIZE_RANGE '{"command":"set-memory","arguments":{"bytes":1073741824}}'
	set_memory 384
	memory 30 assigned 384 384
	echo more >&3
	heard 30 "filled more"
	[ "$(rss)" -ge 200 ] || fail "200 MB written by the guest are not seen on the host"
	echo end >&3
	heard 30 "guest done"
	ended
}

# A guest that asks for a reset starts again, in the same process.
case_reset() {
	start dev.do=reset --restart --memory 128M
	waited=0
	until [ "$(grep -c "dev: boot" /tmp/out)" -ge 2 ]; do
		sleep 1
		waited=$((waited + 1))
		kill -0 $launcher 2> /dev/null || fail "the launcher ended with the guest's reset"
		[ $waited -lt 100 ] || fail "the guest did not start a second time"
	done
	say '{"command":"status"}'
	[ "$(number resets)" -ge 1 ] || fail "no reset is counted: $(cat /tmp/said)"
	say '{"command":"quit"}'
	wait $launcher
	status=$?
	[ $status = 143 ] || fail "the launcher ended with $status instead of 143"
}

insmod /lib/nestvm.ko || exit 1
"case_$1"
sed 's/^/| /' /tmp/out
counters_zero > /tmp/counters || { cat /tmp/counters; fail "something of a VM is left"; }
rmmod nestvm || fail "the module does not unload"
