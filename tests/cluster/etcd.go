// etcd, which every kube-apiserver needs.

package cluster

// startEtcd gives the URL of a single member without TLS (see kubernetes/etcd.go).
func (c *Cluster) startEtcd() (string, error) {
	process, err := c.startComponent("etcd", "etcd", "--data="+c.path("etcd"))
	if err != nil {
		return "", err
	}
	return process.announcedURL()
}
