// Package node proves countersign on a node of Kubernetes: its image in a container runtime, its
// chart installed by Helm, kube-apiserver asking the pods, Prometheus finding them.
//
//	kube-apiserver, etcd, kube-controller-manager, kube-scheduler
//	        │                        as kubeadm would run them, but as processes
//	kubelet ── containerd ── runc ── pods
//	kube-proxy, CNI bridge           10.244.0.0/24, Services 10.96.0.0/16
//
// All of it runs in a machine inside the machine (machine_linux.go): its own network, processes,
// mounts and host name. The test binary runs itself again in there, as the first process, so that
// a test sees what someone sees who is logged in on a node: kubeadm's files where kubeadm puts them,
// 127.0.0.1 of the node. When that process ends, the kernel ends all the others.
//
// That takes root on Linux. Elsewhere, and with NODE=off, every test skips and says why.
//
//	make -C tests/cluster node && go test -count=1 -v ./node
package node
