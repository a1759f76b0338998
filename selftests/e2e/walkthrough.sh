#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# docs/walkthrough.md, done: walkthrough [LEVEL]
#
# The commands are taken from the page, as the package installs it. Each of its blocks is
# run, in the order of the page, by whoever the page says types it: this shell, or a shell
# on the console of a VM, or of a VM in that. A block that is neither run nor named below
# as left out is a failure, and so is one that is missing.
#
# LEVEL is 1 on the host; step 7 runs this script, from the package that is installed
# there, with 2 inside of the VM "lab". What differs from the page:
#
# - Step 1 was done when this machine was put together, and DKMS's part of it before
#   that: there is no compiler here. Blocks 1.1, 1.2 and 8.2 are left out.
# - Step 2: instead of debootstrap (block 2.1), the small system that runs here itself,
#   with its packages, is what the VM gets.
# - Sizes, those of memory and of disks, are those that fit.
# - The emulator's words for kernels, in /boot/cmdline, are added to each --append, but
#   for panic=: Debian's initial RAM disk gives no shell where that is said.
# - At level 2 the prefix is another one, as step 7 says, and steps 6 and 7 are left out.
#   There are no VMs in the VMs of that level: "lab" and "lab2" of that level have
#   the module loaded and checked, themselves ask for the addresses, and the frames from
#   another MAC, those of an inner VM in step 5, are sent by "lab" with another address.
page=/usr/share/doc/nestvm/walkthrough.md
level=${1:-1}
left_out="1.1 1.2 2.1 8.2"
used=
case $level in
1)	net=192.168.100 lab=928M lab2=256M slow=1 who="the inner VM of " ;;
2)	net=192.168.101 lab=288M lab2=256M slow=3 who="" left_out="$left_out 4.1 4.2 6.1 7.1" ;;
*)	echo "walkthrough: there is no level $level"; exit 1 ;;
esac
[ "$level" = 1 ] && outer=host || outer=lab
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
results=0 passed=0 marks=0
begun=$(cut -d . -f 1 /proc/uptime)

seconds() { echo $(($(cut -d . -f 1 /proc/uptime) - begun)); }
say() { echo "# [$level, $(seconds) s] $*"; }

fail() {
	for file in /tmp/said /tmp/lab.out /tmp/lab2.out; do
		[ -e $file ] && tail -n 40 $file | sed "s,^,# ${file##*/}: ,"
	done
	for name in lab lab2; do
		tail -n 5 "/var/lib/nestvm/vms/$name/log" 2> /dev/null | sed "s/^/# log of $name: /"
	done
	echo "not ok $((results + 1)) - $outer: $*"
	echo "walkthrough: end $level"
	exit 1
}

ok() {
	results=$((results + 1))
	echo "ok $results - $outer: $*"
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
		s/192\\.168\\.100/$net/g
		s/--memory 2G/--memory $lab/; s/--memory 1G/--memory $lab2/; s/--memory 512M/--memory 128M/
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
	left=$(($2 * slow))
	until grep -q "$3" "/tmp/$1.out"; do
		[ $left -gt 0 ] || fail "$3 did not come up on the console of $1 within $(($2 * slow)) s"
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

# At level 2, in place of that: a VM that could run VMs, with an address that ends in $2.
itself() {
	block 1.3 > /tmp/block1
	while IFS= read -r command <&6; do
		typed "$1" 60 "$command"
	done 6< /tmp/block1
	ok "$1 has VT-x, and nestvm in it is content"
	typed "$1" 60 "udhcpc -n -q -f -i eth0 -s /bin/lease"
	typed "$1" 20 "ip address show dev eth0 | grep 'inet $net.$2/24'"
	ok "DHCP gives $1 $net.$2"
	typed "$1" 20 "ping -c 3 $net.1"
	ok "$1 reaches the gateway"
}

# The one that uses the network of a VM.
user_of() {
	if [ "$level" = 1 ]; then inner_vm "$1" "$2"; else itself "$1" "$2"; fi
}

dropped() { nestvm adapter show lab eth0 --json | sed -n 's/.*"tx-spoofed": *\([0-9]*\).*/\1/p'; }

# What the script says inside of lab, as far as it has not been said here.
inside() {
	tail -n +$((shown + 1)) /tmp/inside > /tmp/more
	shown=$((shown + $(wc -l < /tmp/more)))
	while IFS= read -r line <&6; do
		case $line in
		"ok "*)
			results=$((results + 1)) passed=$((passed + 1))
			echo "ok $results - ${line#ok * - }"
			;;
		"not ok "*)	fail "inside of ${line#not ok * - }" ;;
		"walkthrough: "*)	;;
		*)	echo "# ${line#"# "}" ;;
		esac
	done 6< /tmp/more
}

# ---- the steps ----

mkdir -p /tmp/work/lab-root
mount -t tmpfs none /tmp || fail "there is no tmpfs"
mkdir -p /tmp/work/lab-root
cd /tmp/work || exit 1
ip link set lo up
# What is beyond the gateway.
[ "$level" = 2 ] || ip address add 10.77.0.1/32 dev lo

here_block 1.3
ok "the module is loaded and the host can do it all"
if [ "$level" = 2 ]; then
	cat > /bin/lease <<- 'EOF'
		#!/bin/sh
		case $1 in
		deconfig)	ip link set $interface up ;;
		bound)		ip address add $ip/$mask dev $interface
				ip route add default via $router ;;
		esac
	EOF
	chmod +x /bin/lease
fi
mount --bind / lab-root || fail "this system cannot be had twice"
here_block 2.2
ok "lab is there, exposed, with static memory"

if [ "$level" = 2 ]; then
	nestvm switch create taken --type internal > /tmp/said 2>&1
	nestvm nat create taken --switch taken --prefix 192.168.100.0/24 > /tmp/said 2>&1
	status=$?
	if [ $status != 14 ] || ! grep -q "PREFIX_OVERLAP" /tmp/said; then
		fail "the prefix of the outer network is not refused"
	fi
	nestvm switch remove taken > /tmp/said 2>&1 || fail "the switch cannot be removed"
	ok "the prefix that lab is in is refused"
fi
here_block 3.1
here_block 3.2
wait_for lab 100 "machine: shell"
ok "lab has started"
sleep 1
user_of lab 2
typed lab 20 "ping -c 3 10.77.0.1"
ok "${who}lab reaches L0"

here_block 5.1
wait_for lab2 100 "machine: shell"
sleep 1
user_of lab2 3
other=$(block 5.2)
used="$used 5.2"
typed lab 20 "$other"
ok "${who}lab reaches ${who}lab2"
if [ "$level" = 2 ]; then
	typed lab 20 "ip link set eth0 address 02:00:00:00:00:99"
	typed lab 20 "$other"
	ok "with spoofing on, lab reaches it with another MAC too"
fi
here_block 5.3
before=$(dropped)
answer lab 30 "$other"
[ "$status" != 0 ] || fail "spoofing is off and the other one is reached"
after=$(dropped)
[ "$after" -gt "$before" ] || fail "no frame of a foreign MAC was counted"
ok "with spoofing off it does not, and $((after - before)) frames of a foreign MAC were counted"
here_block 5.4
grep -q "tx-spoofed" /tmp/said || nestvm adapter show lab eth0 | grep -q tx-spoofed ||
	fail "adapter show does not count"
typed lab 30 "$other"
ok "with spoofing on again it does"

if [ "$level" = 1 ]; then
	here_block 6.1
	connect lab
	typed lab 60 "$other"
	ok "the inner VM of a VM from a checkpoint goes on and reaches the other one"

	# Until step 8, which kills it, for its memory.
	here "nestvm kill lab2"
	# Back from the console of the inner VM to that of lab.
	printf '\001x' > /tmp/lab.in
	sleep 2
	typed lab 20 "nestvm kill inner"
	block 7.1 > /tmp/block7
	used="$used 7.1"
	while IFS= read -r command <&6; do
		typed lab 20 "$command"
	done 6< /tmp/block7
	typed lab 20 "ping -c 3 10.77.0.1"
	ok "lab itself reaches L0"
	say "on lab: walkthrough 2"
	echo "walkthrough 2" > /tmp/lab.in
	shown=0 left=500
	until [ $shown -gt 0 ] && grep -q "^walkthrough: end 2" /tmp/inside; do
		[ $left -gt 0 ] || fail "the walkthrough inside of lab does not come to its end"
		left=$((left - 1))
		sleep 1
		# The last line may be half a one.
		tr -d '\r' < /tmp/lab.out | sed '$d' | sed -n '/^# \[2/,$p' > /tmp/inside
		inside
	done
	[ $passed -gt 0 ] || fail "the walkthrough inside of lab says nothing"
	here "nestvm start lab2"
fi

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
echo "walkthrough: end $level"
