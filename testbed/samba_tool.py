# samba-tool without the step that sets ACLs on sysvol: that needs packages and
# rights which a domain controller that only speaks LDAP can do without.
import sys

import samba.provision

samba.provision.setsysvolacl = lambda *args, **kwargs: None

from samba.netcmd.main import cmd_sambatool

sys.exit(cmd_sambatool()._run("samba-tool", *sys.argv[1:]))
