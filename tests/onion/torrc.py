"""The settings of the private network's tors. Which line is there for what: docs/onion.md."""

# What every tor of a network without the internet needs. `none` is a file that is not there: the
# tables of countries would cost each of them 40 MB.
EVERYBODY = """\
TestingTorNetwork 1
UseDefaultFallbackDirs 0
GeoIPFile @FOLDER@/none
GeoIPv6File @FOLDER@/none
ShutdownWaitLength 0
PathsNeededToBuildCircuits 0.67
AssumeReachable 1
"""

OWN = """\
DataDirectory @FOLDER@
Nickname @NAME@
ControlSocket @FOLDER@/control
CookieAuthentication 1
Log notice stdout
SafeLogging 0
"""

RELAY = """\
Address 127.0.0.1
ORPort 127.0.0.1:@OR_PORT@
SocksPort 0
ExitRelay 0
ServerDNSDetectHijacking 0
ServerDNSResolvConfFile /dev/null
"""

# The first vote is far away, and is called when everybody has been heard of.
AUTHORITY = """\
DirPort 127.0.0.1:@DIR_PORT@
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ContactInfo authority@test.invalid
TestingV3AuthInitialVotingInterval 300
TestingV3AuthVotingStartOffset @OFFSET@
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
V3AuthVotingInterval 300
V3AuthVoteDelay 2
V3AuthDistDelay 2
V3AuthNIntervalsValid 3
TestingDirAuthVoteExit *
TestingDirAuthVoteHSDir *
TestingDirAuthVoteGuard *
TestingMinExitFlagThreshold 0
MinUptimeHidServDirectoryV2 0
"""

# Tor Browser's own flags; and nothing but onions, or a browser's own traffic would wait for an
# exit that this network does not have.
CLIENT = """\
SocksPort 127.0.0.1:@SOCKS_PORT@ OnionTrafficOnly ExtendedErrors KeepAliveIsolateSOCKSAuth
"""

# Nine relays are not nine thousand: of the few that are second-layer guards, one that was killed
# would be asked again and again. With more introduction points a service needs fewer circuits anew.
FEW_RELAYS = "VanguardsLiteEnabled 0\n"

# Without a history a relay counts as slow as can be, and one of them would be every hop.
HISTORY = """\
BWHistory@WHICH@Ends @ENDS@
BWHistory@WHICH@Interval 86400
BWHistory@WHICH@Values 864000000000
BWHistory@WHICH@Maxima 10000000
"""
