# samba_seed.py SMB.CONF SAM.LDB <SEED.JSON: fills a provisioned domain with
# groups, users and the password policy. Passwords come on standard input.
import json
import sys
import time

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
from samba.sd_utils import SDUtils

# DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID, so that pwdLastSet can lie in the past.
AS_IT_IS = ["local_oid:1.3.6.1.4.1.7165.4.3.12:0"]
DAY = 24 * 3600


def filetime(unix):
    return str(int(unix + 11644473600) * 10**7)


def replace(db, dn, attribute, value, controls=None):
    msg = ldb.Message(ldb.Dn(db, str(dn)))
    msg[attribute] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, attribute)
    db.modify(msg, controls or [])


def dn_of(db, name):
    found = db.search(base=db.domain_dn(), expression="(sAMAccountName=%s)" % ldb.binary_encode(name), attrs=[])
    return found[0].dn


def add_group(db, name):
    dn = ldb.Dn(db, "CN=x,CN=Users," + db.domain_dn())
    dn.set_component(0, "CN", name)  # newgroup() does not escape it
    db.add({"dn": dn, "objectClass": "group", "sAMAccountName": name})


def set_policy(db, policy):
    head = db.domain_dn()
    complexity = 1 if policy["Complexity"] else 0
    replace(db, head, "pwdProperties", str(complexity))
    replace(db, head, "minPwdLength", str(policy["MinLength"]))
    replace(db, head, "pwdHistoryLength", str(policy["History"]))
    replace(db, head, "lockoutThreshold", str(policy["LockoutThreshold"]))
    replace(db, head, "minPwdAge", str(-policy["MinAge"] // 100))
    replace(db, head, "maxPwdAge", str(-policy["MaxAge"] // 100 or -(2**63)))


def set_state(db, user):
    dn = dn_of(db, user["Name"])
    if user["MustChange"]:
        replace(db, dn, "pwdLastSet", "0")
    elif user["Expired"]:
        replace(db, dn, "pwdLastSet", filetime(time.time() - 1000 * DAY), AS_IT_IS)
    else:
        # Old enough for any minimum age, young enough for any maximum.
        replace(db, dn, "pwdLastSet", filetime(time.time() - 2 * DAY), AS_IT_IS)
    if user["AccountExpired"]:
        replace(db, dn, "accountExpires", filetime(time.time() - DAY))
    if user["NoLogonHours"]:
        replace(db, dn, "logonHours", bytes(21))
    if user["Disabled"]:
        replace(db, dn, "userAccountControl", "514")


def add_user(db, user):
    db.newuser(user["Name"], user["Password"], mailaddress=user["Mail"] or None)
    dn = dn_of(db, user["Name"])
    for attribute, key in [("displayName", "DisplayName"), ("mobile", "Mobile")]:
        if user[key]:
            replace(db, dn, attribute, user[key])
    for group in user["Groups"] or []:
        db.add_remove_group_members(group, [user["Name"]], add_members_operation=True)


def let_unlock(db, name):
    # Read and write lockoutTime (MS-ADA1 section 2.357) of every account.
    sid = SDUtils(db).get_object_sid(dn_of(db, name))
    ace = "(OA;;RPWP;28630ebf-41d5-11d1-a9c1-0000f80367c1;;%s)" % sid
    for found in db.search(base=db.domain_dn(), expression="(&(objectCategory=person)(objectClass=user))", attrs=[]):
        SDUtils(db).dacl_add_ace(found.dn, ace)


def main(conf, sam):
    seed = json.load(sys.stdin)
    lp = LoadParm()
    lp.load(conf)
    db = SamDB(url=sam, session_info=system_session(), lp=lp)
    open_policy = dict(Complexity=False, MinLength=0, History=0, MinAge=0, MaxAge=0, LockoutThreshold=0)
    set_policy(db, open_policy)  # the seed's passwords need not keep to the policy
    for group in seed["Groups"] or []:
        add_group(db, group["Name"])
    for group in seed["Groups"] or []:
        for parent in group["Groups"] or []:
            db.add_remove_group_members(parent, [group["Name"]], add_members_operation=True)
    for user in seed["Users"]:
        add_user(db, user)
    if seed["MayUnlock"]:
        let_unlock(db, "svc-stagedoor")
    set_policy(db, seed["Policy"])
    for user in seed["Users"]:
        set_state(db, user)


main(*sys.argv[1:])
