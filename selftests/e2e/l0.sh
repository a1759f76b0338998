#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host's part of each end-to-end run: l0 CASE [ARG...]. Ends with 0 if all of
# it was seen; what was not is said in a line "e2e: L0 FAIL".
fail() { echo "e2e: L0 FAIL: $*"; exit 1; }

# What guests said, quoted: their results are not to be taken for ours.
show() { sed 's/^/| /' "${1:-/tmp/out}"; }

# l1 MEMORY VCPUS "WORDS FOR L1" [LAUNCHER OPTION...]
l1() {
	memory=$1 vcpus=$2 words=$3
	shift 3
	nestvm run --kernel /boot/vmlinux --initrd /boot/initramfs --memory "$memory" \
		--vcpus "$vcpus" --append "$(cat /boot/cmdline) $words" "$@"
}

# An L1 that is exposed and runs L2 twice: exposed VCPUS "WORDS FOR L1"
exposed() {
	l1 640M "$1" "$2" --expose-virtualization-extensions --stats > /tmp/out ||
		{ status=$?; show; fail "the launcher of L1 ended with $status"; }
	show
	[ "$(grep -c "e2e: L2 done" /tmp/out)" = 2 ] || fail "L2 was not seen to end twice"
	grep -q "e2e: L1 FAIL" /tmp/out && fail "L1 failed"
	return 0
}

unload() {
	counters_zero > /tmp/counters || { show /tmp/counters; fail "something of a VM is left"; }
	rmmod nestvm || fail "the module does not unload"
}

# Boot L1, compare what it sees with what it was given, and its clock with ours.
case_boot() {
	vcpus=$1 memory=$2
	{ l1 "${memory}M" "$vcpus" e2e.do=clock; echo $? > /tmp/status; } |
	while IFS= read -r line; do
		echo "| $line"
		case $line in
		*"e2e: tick "*)
			read -r up _ < /proc/uptime
			echo "$up ${line##*tick }" >> /tmp/ticks ;;
		*"e2e: L1 cpus "*)
			echo "${line##*L1 }" > /tmp/facts ;;
		esac
	done
	[ "$(cat /tmp/status)" = 0 ] || fail "the launcher ended with $(cat /tmp/status)"
	awk -v c="$vcpus" -v m="$memory" '{ exit !($2 == c && $4 > m * 0.8 && $4 <= m) }' /tmp/facts ||
		fail "L1 was given $vcpus CPUs and $memory MB and saw: $(cat /tmp/facts)"
	awk 'NR == 1 { h = $1; g = $2 }
	     NR == 2 { r = ($2 - g) / ($1 - h); printf "e2e: clock rate %.4f\n", r
		       exit !(r > 0.99 && r < 1.01) }' /tmp/ticks ||
		fail "the clock of L1 does not keep up: $(tr '\n' ' ' < /tmp/ticks)"
}

# Memory that is filled on demand: the launcher holds what L1 has touched, and not the rest.
case_dynamic() {
	memory=$1
	{ l1 "${memory}M" 1 e2e.do=clock --dynamic-memory; echo $? > /tmp/status; } |
	while IFS= read -r line; do
		echo "| $line"
		case $line in
		*"e2e: tick "*)
			awk '/VmRSS/ { print int($2 / 1024) }' "/proc/$(pidof nestvm)/status" >> /tmp/rss ;;
		esac
	done
	[ "$(cat /tmp/status)" = 0 ] || fail "the launcher ended with $(cat /tmp/status)"
	read -r rss < /tmp/rss
	echo "e2e: of $memory MB L1 uses $rss"
	[ "$rss" -gt 40 ] && [ "$rss" -lt $((memory / 2)) ] ||
		fail "of $memory MB of dynamic memory $rss are filled after L1's boot"
}

case_expose_off() {
	l1 512M 1 e2e.do=expose_off > /tmp/out || { status=$?; show; fail "the launcher ended with $status"; }
	show
	grep -q "e2e: L1 has no VT-x" /tmp/out || fail "L1 did not get to its end"
}

# kvm VCPUS [PARAMETERS OF KVM_INTEL, comma between]
case_kvm() {
	exposed "$1" "e2e.do=kvm e2e.kvm_intel=$2"
}

case_nestvm() {
	exposed "$1" e2e.do=nestvm
}

# Two VMs at once, each with an L2, while a CPU of the host goes and comes back.
case_two_vms() {
	for vm in a b; do
		{ l1 600M 1 e2e.do=kvm --expose-virtualization-extensions > /tmp/out.$vm 2>&1
		  echo $? > /tmp/status.$vm; } &
	done
	for turn in 1 2 3; do
		sleep 2
		echo 0 > /sys/devices/system/cpu/cpu1/online || fail "CPU 1 does not go off line"
		sleep 1
		echo 1 > /sys/devices/system/cpu/cpu1/online || fail "CPU 1 does not come back"
	done
	wait
	for vm in a b; do
		show /tmp/out.$vm
		[ "$(cat /tmp/status.$vm)" = 0 ] || fail "VM $vm ended with $(cat /tmp/status.$vm)"
		[ "$(grep -c "e2e: L2 done" /tmp/out.$vm)" = 2 ] || fail "VM $vm: L2 did not end twice"
	done
}

# An L1 that runs on, and an L2 in it that computes.
l2_stays() {
	l1 640M 1 "e2e.do=kvm e2e.l2=stay" --expose-virtualization-extensions > /tmp/out 2>&1 &
	waited=0
	until grep -q "e2e: L2 stays" /tmp/out; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 200 ] || { show; fail "L2 did not come up"; }
	done
	sleep 1
	counters_zero > /dev/null && fail "the counters do not see the VM that runs"
}

# SIGKILL of the launcher while L2 runs frees everything.
case_kill() {
	l2_stays
	killall -9 nestvm
	wait
	sleep 1
}

# The host crashes while L2 runs. The last line of the machine is the crash kernel's.
case_kdump() {
	kexec -p /boot/crash-vmlinuz --initrd=/boot/crash-initramfs \
		--append="$(cat /boot/crash-cmdline)" || fail "the crash kernel cannot be loaded"
	l2_stays
	# From CPU 0: a kernel that comes up elsewhere leaves that one alone.
	taskset 1 sh -c "echo c > /proc/sysrq-trigger"
	fail "the host does not crash"
}

# The host crashes while L2 runs and, without a crash kernel, restarts by itself.
case_panic() {
	# Who leaves VMX at a crash was kvm_intel meanwhile, and is us again.
	insmod /lib/irqbypass.ko && insmod /lib/kvm.ko && insmod /lib/kvm-intel.ko &&
		rmmod kvm_intel kvm irqbypass || fail "kvm_intel does not come and go"
	l2_stays
	echo 1 > /proc/sys/kernel/panic
	echo c > /proc/sysrq-trigger
	fail "the host does not crash"
}

# The host reboots while L1 computes; the machine's runner waits for that (--until-reboot).
case_reboot() {
	l1 512M 1 e2e.do=busy > /tmp/out 2>&1 &
	waited=0
	until grep -q "e2e: L1 is busy" /tmp/out; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 100 ] || { show; fail "L1 did not come up"; }
	done
	counters_zero > /dev/null && fail "the counters do not see the VM that runs"
	dmesg -n 8
	reboot -f
	sleep 30
	fail "the host does not reboot"
}

# The host suspends and resumes, as far as the kernel's own test of it goes (all but
# the firmware), while L1 runs.
case_suspend() {
	grep -qw mem /sys/power/state && grep -qw core /sys/power/pm_test || {
		echo "e2e: skipped: this kernel or machine cannot suspend to memory"
		rmmod nestvm
		exit 4
	}
	echo core > /sys/power/pm_test
	{ l1 512M 1 e2e.do=clock > /tmp/out 2>&1; echo $? > /tmp/status; } &
	waited=0
	until grep -q "e2e: tick" /tmp/out; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 60 ] || { show; fail "L1 did not come up"; }
	done
	echo mem > /sys/power/state || fail "the host does not suspend"
	wait
	show
	dmesg | grep -q "PM: suspend exit" || fail "the host did not come back"
	[ "$(cat /tmp/status)" = 0 ] || fail "the launcher ended with $(cat /tmp/status)"
	[ "$(grep -c "e2e: tick" /tmp/out)" = 2 ] || fail "L1 did not go on"
}

# QEMU takes the device for KVM's: it knows the KVM API alone, so the switch is the
# module's default. Its firmware starts the kernel of an L1 that runs L2 twice.
case_qemu() {
	rmmod nestvm && insmod /lib/nestvm.ko expose_default=1 || fail "the module does not load"
	ln -s nestvm /dev/kvm
	qemu-system-x86_64 -machine q35,accel=kvm -cpu host -smp 2 -m 640 -nodefaults -display none \
		-serial stdio -no-reboot -L /usr/share/qemu -debugcon file:/tmp/bios \
		-global isa-debugcon.iobase=0x402 -kernel /boot/vmlinux -initrd /boot/initramfs \
		-append "$(cat /boot/qemu-cmdline) e2e.do=kvm" < /dev/null > /tmp/out 2>&1 ||
		{ status=$?; show; tail -n 5 /tmp/bios; fail "QEMU ended with $status"; }
	rm /dev/kvm
	show
	[ "$(grep -c "e2e: L2 done" /tmp/out)" = 2 ] || fail "L2 was not seen to end twice"
}

# Load and unload leave nothing behind.
case_reload() {
	rmmod nestvm
	free_kb() { awk '/MemFree/ { print $2 }' /proc/meminfo; }
	turn=0
	while [ $turn -lt 100 ]; do
		insmod /lib/nestvm.ko || fail "load $turn failed"
		rmmod nestvm || fail "unload $turn failed"
		turn=$((turn + 1))
		[ $turn = 20 ] && before=$(free_kb)
	done
	after=$(free_kb)
	echo "e2e: free memory $before kB after 20 turns, $after kB after 100"
	[ $((before - after)) -lt 2048 ] || fail "80 loads lost $((before - after)) kB"
	[ -e /dev/nestvm ] && fail "/dev/nestvm is left"
	insmod /lib/nestvm.ko
}

# kvm_intel comes and goes, unused, before us, after us and while we are there. Who leaves
# VMX when the host crashes is handed over each time; the kernel complains of two, or of a
# wrong one, in its log. (KVM of 6.12 wants VT-x at once and does not load beside us.)
case_beside_kvm() {
	insmod /lib/irqbypass.ko && insmod /lib/kvm.ko || fail "kvm does not load"
	for turn in after again; do
		insmod /lib/kvm-intel.ko && rmmod kvm_intel || echo "e2e: kvm_intel does not load $turn"
	done
	rmmod nestvm
	insmod /lib/kvm-intel.ko || fail "kvm_intel does not load"
	insmod /lib/nestvm.ko && {
		rmmod kvm_intel || fail "kvm_intel does not unload"
		insmod /lib/kvm-intel.ko || fail "kvm_intel does not load beside nestvm"
		rmmod nestvm || fail "nestvm does not unload"
	}
	rmmod kvm_intel kvm irqbypass || fail "kvm does not unload"
	insmod /lib/nestvm.ko || fail "nestvm does not load when KVM is gone"
}

# The module does not load, and the kernel's log has the reason: refuses TEXT
case_refuses() {
	insmod /lib/nestvm.ko 2> /dev/null && fail "the module loaded"
	dmesg | grep "nestvm: not loaded: .*$1" || { dmesg | tail -n 5; fail "no reason: $1"; }
}

case_refuse_kvm_active() {
	insmod /lib/irqbypass.ko && insmod /lib/kvm.ko && insmod /lib/kvm-intel.ko enable_apicv=0 ||
		fail "kvm_intel does not load"
	l1 512M 1 e2e.do=stay --device /dev/kvm > /tmp/out 2>&1 &
	sleep 2
	case_refuses "VMX is in use by another hypervisor"
	killall -9 nestvm
	wait
	sleep 1
	rmmod kvm_intel kvm irqbypass
	insmod /lib/nestvm.ko || fail "the module does not load when KVM is gone"
	unload
}

name=$1
shift
case $name in
refuse*)
	"case_$name" "$@" ;;
*)
	insmod /lib/nestvm.ko || fail "the module does not load"
	"case_$name" "$@"
	unload ;;
esac
