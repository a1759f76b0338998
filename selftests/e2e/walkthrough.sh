#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# docs/walkthrough.md, done.
#
# The commands are taken from the page, as the package installs it. Each of its blocks is
# run, in the order of the page, by whoever the page says types it: this shell, or a shell
# on the console of a VM, or of a VM in that. A block that is neither run nor named below
# as left out is a failure, and so is one that is missing.
#
# What differs from the page:
#
# - Step 1 was done when this machine was put together, and DKMS's part of it before
#   that: there is no compiler here. Blocks 1.1, 1.2 and 8.2 are left out.
# - Step 2: instead of debootstrap (block 2.1), the small system that runs here itself,
#   with its packages, is what the VM gets.
# - Step 6, states to come back to, is what checkpoint.suite runs; step 7, the same page
#   inside of "lab", is not run.
# - Sizes, those of memory and of disks, are those that fit.
# - The emulator's words for kernels, in /boot/cmdline, are added to each --append, but
#   for panic=: Debian's initial RAM disk gives no shell where that is said.
page=/usr/share/doc/nestvm/walkthrough.md
left_out="1.1 1.2 2.1 6.1 7.1 8.2"
net=192.168.100
used=
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
results=0 marks=0
begun=$(cut -d . -f 1 /proc/uptime)

seconds() { echo $(($(cut -d . -f 1 /proc/uptime) - begun)); }
say() { echo "# [$(seconds) s] $*"; }

fail() {
	for file in /tmp/said /tmp/lab.out /tmp/lab2.out; do
		[ -e $file ] && tail -n 40 $file | sed "s,^,# ${file##*/}: ,"
	done
	for name in lab lab2; do
		tail -n 5 "/var/lib/nestvm/vms/$name/log" 2> /dev/null | sed "s/^/# log of $name: /"
	done
	echo "not ok $((results + 1)) - $*"
	echo "walkthrough: end"
	exit 1
}

ok() {
	results=$((results + 1))
	echo "ok $results - $*"
}

# ---- the page ----

# block STEP.NUMBER: the commands of a block of the page, as they are typed here.
block() {
	text=$(awk -v want="$1" '
		/^## / { step = $2 + 0; number = 0; inside = 0 }
		/^    / { if (!inside) number++; inside = 1
			  if (step "." number == want) print substr($0, 5); next }
		{ inside = 0 }' $page | sed "
		s/  *# .*//
		s/--memory 2G/--memory 928M/; s/--memory 1G/--memory 256M/; s/--memory 512M/--memory 128M/
		s/\\(lab2*\\.img\\) 4G/\\1 640M/
		s,--append \"console,--append \"\$(sed s/panic=-1// /boot/cmdline) console,")
	[ -n "$text" ] || fail "the page has no block $1"
	used="$used $1"
	echo "$text"
}

# All of them, for the comparison at the end.
blocks() {
	awk '/^## / { step = $2 + 0; number = 0; inside = 0 }
		/^    / { if (!inside) print step "." ++number; inside = 1; next }
		{ inside = 0 }' $page | sort
}

# ---- who types ----

# A command at this level, which must succeed.
here() {
	say "\$ $1"
	sh -c "$1" > /tmp/said 2>&1 || fail "$1 ended with $?"
}

# The commands of a block at this level; a console stays open while others are typed.
here_block() {
	block "$1" > "/tmp/block"
	used="$used $1"
	while IFS= read -r command <&5; do
		case $command in
		"nestvm console "*)	connect "${command#nestvm console }" ;;
		*)			here "$command" ;;
		esac
	done 5< /tmp/block
}

# A terminal on the console of a VM: what is typed goes to a pipe that stays open.
connect() {
	say "\$ nestvm console $1"
	rm -f "/tmp/$1.in"
	mkfifo "/tmp/$1.in"
	: > "/tmp/$1.out"
	nestvm console "$1" < "/tmp/$1.in" > "/tmp/$1.out" 2>&1 &
	sleep 100000 > "/tmp/$1.in" &
}

# wait_for VM SECONDS PATTERN: it comes up on its console.
wait_for() {
	left=$2
	until grep -q "$3" "/tmp/$1.out"; do
		[ "$left" -gt 0 ] || fail "$3 did not come up on the console of $1 within $2 s"
		left=$((left - 1))
		sleep 1
	done
}

# answer VM SECONDS COMMAND: type it, wait for its end, be it good or bad, and print it.
answer() {
	marks=$((marks + 1))
	lines=$(wc -l < "/tmp/$1.out")
	printf '%s; echo "mark-%s-$?"\n' "$3" $marks > "/tmp/$1.in"
	wait_for "$1" "$2" "mark-$marks-[0-9]"
	tail -n +$((lines + 1)) "/tmp/$1.out" | tr -d '\r' > /tmp/said
	status=$(sed -n "s/.*mark-$marks-\\([0-9][0-9]*\\).*/\\1/p" /tmp/said)
}

# The same for a command that must succeed.
typed() {
	say "on $1: $3"
	answer "$1" "$2" "$3"
	[ "$status" = 0 ] || fail "$3, typed on $1, ended with $status"
}

# The commands of step 4 on the console of a VM and of the inner one: an inner VM with an
# address that ends in $2.
inner_vm() {
	block 4.1 > /tmp/block4
	while IFS= read -r command <&6; do
		[ "$command" = "nestvm console inner" ] || typed "$1" 60 "$command"
	done 6< /tmp/block4
	say "on $1: nestvm console inner"
	echo "nestvm console inner" > "/tmp/$1.in"
	wait_for "$1" 200 "(initramfs)"
	ok "the inner VM of $1 has started"
	block 4.2 > /tmp/block4
	while IFS= read -r command <&6; do
		typed "$1" 60 "$command"
		case $command in
		ipconfig*)
			grep -q "address: $net.$2 " /tmp/said || fail "the address of inner is not $net.$2"
			grep -q "gateway: $net.1 " /tmp/said || fail "the gateway of inner is not $net.1"
			grep -q "dns0 *: 10.77.0.1 " /tmp/said || fail "the DNS server of inner is not 10.77.0.1"
			ok "DHCP gives the inner VM of $1 $net.$2, gateway .1 and the DNS server"
			;;
		ping*)	ok "the inner VM of $1 reaches the gateway" ;;
		esac
	done 6< /tmp/block4
	used="$used 4.1 4.2"
}

dropped() { nestvm adapter show lab eth0 --json | sed -n 's/.*"tx-spoofed": *\([0-9]*\).*/\1/p'; }

# ---- the steps ----

mkdir -p /tmp/work/lab-root
mount -t tmpfs none /tmp || fail "there is no tmpfs"
mkdir -p /tmp/work/lab-root
cd /tmp/work || exit 1
ip link set lo up
# What is beyond the gateway.
ip address add 10.77.0.1/32 dev lo

here_block 1.3
ok "the module is loaded and the host can do it all"
mount --bind / lab-root || fail "this system cannot be had twice"
here_block 2.2
ok "lab is there, exposed, with static memory"

here_block 3.1
here_block 3.2
wait_for lab 100 "machine: shell"
ok "lab has started"
sleep 1
inner_vm lab 2
typed lab 20 "ping -c 3 10.77.0.1"
ok "the inner VM of lab reaches L0"

here_block 5.1
wait_for lab2 100 "machine: shell"
sleep 1
inner_vm lab2 3
other=$(block 5.2)
used="$used 5.2"
typed lab 20 "$other"
ok "inner VMs of two VMs reach each other through spoofing"
here_block 5.3
before=$(dropped)
answer lab 30 "$other"
[ "$status" != 0 ] || fail "spoofing is off and inner reaches the other one"
after=$(dropped)
[ "$after" -gt "$before" ] || fail "no frame of a foreign MAC was counted"
ok "with spoofing off it does not, and $((after - before)) frames of a foreign MAC were counted"
here_block 5.4
grep -q "tx-spoofed" /tmp/said || nestvm adapter show lab eth0 | grep -q tx-spoofed ||
	fail "adapter show does not count"
typed lab 30 "$other"
ok "with spoofing on again it does"

umount lab-root
here_block 8.1
ip link | grep -q "nv[st]-lan" && fail "an interface is left: $(ip link)"
[ "$(lsmod | grep -c '^nestvm ')" = 0 ] || fail "the module is still there"
ok "all of it is away again"

blocks > /tmp/all
for name in $used $left_out; do
	echo "$name"
done | sort -u > /tmp/done
diff /tmp/all /tmp/done > /tmp/said || fail "the page's blocks and those of this script differ"
ok "each block of the page was run or is named as left out"
echo "walkthrough: end"
