#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest's part of named_life.suite: how much memory it has, until it is switched off.
mkdir -p /etc/acpi/PWRF /var/log /var/run
cat > /etc/acpi/PWRF/00000080 << 'END'
#!/bin/sh
echo "named: power button" > /dev/console
poweroff -f
END
chmod 755 /etc/acpi/PWRF/00000080
acpid -f > /tmp/acpid 2>&1 &
n=0
while :; do
	n=$((n + 1))
	echo "named: available $(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo), tick $n"
	sleep 1
done
