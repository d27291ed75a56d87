// The grammar: every function, macro and operator that upstream's environment has.

package expressions

// rules are `type: template`; see parseRules.
var rules = parseRules(`
T: ‹bool› ? ‹T› : ‹T›
T: (‹T›)
T: ‹list(T)›[‹'index'›]
T: ‹map(K, T)›[‹K›]
T: ‹map(string, T)›.‹'field'›
T: ‹opt(T)›.orValue(‹T›)
T: ‹opt(T)›.value()
T: ‹list(T)›.first().orValue(‹T›)
T: dyn(‹T›)
T: [‹T›].map(‹@T›, ‹T›)[0]
N: ‹list(N)›.max()
N: ‹list(N)›.min()
S: ‹list(S)›.sum()
dyn: dyn(‹T›)

bool: !‹bool›
bool: ‹bool› && ‹bool›
bool: ‹bool› || ‹bool›
bool: ‹bool› && ‹bool› || !‹bool›
bool: ‹T› == ‹T›
bool: ‹T› != ‹T›
bool: dyn(‹T›) == ‹U›
bool: dyn(‹N›) != ‹M›
bool: ‹N› < ‹N›
bool: ‹N› <= ‹N›
bool: ‹N› > ‹N›
bool: ‹N› >= ‹N›
bool: ‹int› < ‹double›
bool: ‹double› >= ‹uint›
bool: ‹uint› > ‹int›
bool: ‹int› <= ‹uint›
bool: dyn(‹N›) < ‹N›
bool: ‹T› in ‹list(T)›
bool: ‹K› in ‹map(K, T)›
bool: dyn(‹T›) in ‹list(U)›
bool: has(‹map(string, T)›.‹'field'›)
bool: ‹string›.contains(‹string›)
bool: ‹string›.startsWith(‹string›)
bool: ‹string›.endsWith(‹string›)
bool: ‹string›.matches(‹'regex'›)
bool: matches(‹string›, ‹'regex'›)
bool: bool(‹'bool'›)
bool: bool(‹bool›)
bool: ‹list(T)›.all(‹@T›, ‹bool›)
bool: ‹list(T)›.exists(‹@T›, ‹bool›)
bool: ‹list(T)›.exists_one(‹@T›, ‹bool›)
bool: ‹map(K, T)›.all(‹@K›, ‹bool›)
bool: ‹map(K, T)›.exists(‹@K›, ‹bool›)
bool: ‹list(T)›.all(‹@int›, ‹@T›, ‹bool›)
bool: ‹list(T)›.exists(‹@int›, ‹@T›, ‹bool›)
bool: ‹list(T)›.existsOne(‹@int›, ‹@T›, ‹bool›)
bool: ‹list(T)›.exists_one(‹@int›, ‹@T›, ‹bool›)
bool: ‹map(K, T)›.all(‹@K›, ‹@T›, ‹bool›)
bool: ‹map(K, T)›.exists(‹@K›, ‹@T›, ‹bool›)
bool: ‹map(K, T)›.existsOne(‹@K›, ‹@T›, ‹bool›)
bool: sets.contains(‹list(T)›, ‹list(T)›)
bool: sets.equivalent(‹list(T)›, ‹list(T)›)
bool: sets.intersects(‹list(T)›, ‹list(T)›)
bool: ‹list(N)›.isSorted()
bool: ‹list(T)›.includes(‹T›)
bool: ‹opt(T)›.hasValue()
bool: isURL(‹'url'›)
bool: isIP(‹'ip'›)
bool: ip.isCanonical(‹'ip'›)
bool: ‹ip›.isUnspecified()
bool: ‹ip›.isLoopback()
bool: ‹ip›.isLinkLocalMulticast()
bool: ‹ip›.isLinkLocalUnicast()
bool: ‹ip›.isGlobalUnicast()
bool: isCIDR(‹'cidr'›)
bool: ‹cidr›.containsIP(‹'ip'›)
bool: ‹cidr›.containsIP(‹ip›)
bool: ‹cidr›.containsCIDR(‹'cidr'›)
bool: ‹cidr›.containsCIDR(‹cidr›)
bool: isQuantity(‹'quantity'›)
bool: ‹quantity›.isInteger()
bool: ‹quantity›.isGreaterThan(‹quantity›)
bool: ‹quantity›.isLessThan(‹quantity›)
bool: isSemver(‹'semver'›)
bool: isSemver(‹'semver'›, ‹bool›)
bool: ‹semver›.isGreaterThan(‹semver›)
bool: ‹semver›.isLessThan(‹semver›)
bool: type(‹T›) == ‹type›
bool: ‹format›.validate(‹'name'›).hasValue()

int: ‹int› + ‹int›
int: ‹int› - ‹int›
int: ‹int› * ‹int›
int: ‹int› / ‹int›
int: ‹int› % ‹int›
int: -‹int›
int: size(‹string›)
int: ‹string›.size()
int: size(‹bytes›)
int: ‹bytes›.size()
int: size(‹list(T)›)
int: ‹list(T)›.size()
int: size(‹map(K, T)›)
int: ‹map(K, T)›.size()
int: int(‹double›)
int: int(‹uint›)
int: int(‹int›)
int: int(‹'number'›)
int: int(‹timestamp›)
int: ‹timestamp›.getFullYear()
int: ‹timestamp›.getMonth()
int: ‹timestamp›.getDate()
int: ‹timestamp›.getDayOfMonth()
int: ‹timestamp›.getDayOfYear()
int: ‹timestamp›.getDayOfWeek()
int: ‹timestamp›.getHours()
int: ‹timestamp›.getMinutes()
int: ‹timestamp›.getSeconds()
int: ‹timestamp›.getMilliseconds()
int: ‹timestamp›.getFullYear(‹'zone'›)
int: ‹timestamp›.getMonth(‹'zone'›)
int: ‹timestamp›.getDate(‹'zone'›)
int: ‹timestamp›.getDayOfYear(‹'zone'›)
int: ‹timestamp›.getDayOfWeek(‹'zone'›)
int: ‹timestamp›.getHours(‹'zone'›)
int: ‹timestamp›.getMinutes(‹'zone'›)
int: ‹timestamp›.getSeconds(‹'zone'›)
int: ‹duration›.getHours()
int: ‹duration›.getMinutes()
int: ‹duration›.getSeconds()
int: ‹duration›.getMilliseconds()
int: ‹string›.indexOf(‹string›)
int: ‹string›.indexOf(‹string›, ‹'index'›)
int: ‹string›.lastIndexOf(‹string›)
int: ‹string›.lastIndexOf(‹string›, ‹'index'›)
int: ‹list(T)›.indexOf(‹T›)
int: ‹list(T)›.lastIndexOf(‹T›)
int: ‹ip›.family()
int: ‹cidr›.prefixLength()
int: ‹quantity›.compareTo(‹quantity›)
int: ‹quantity›.asInteger()
int: sign(‹quantity›)
int: ‹semver›.compareTo(‹semver›)
int: ‹semver›.major()
int: ‹semver›.minor()
int: ‹semver›.patch()

uint: ‹uint› + ‹uint›
uint: ‹uint› - ‹uint›
uint: ‹uint› * ‹uint›
uint: ‹uint› / ‹uint›
uint: ‹uint› % ‹uint›
uint: uint(‹int›)
uint: uint(‹double›)
uint: uint(‹'number'›)
uint: uint(‹uint›)

double: ‹double› + ‹double›
double: ‹double› - ‹double›
double: ‹double› * ‹double›
double: ‹double› / ‹double›
double: -‹double›
double: double(‹int›)
double: double(‹uint›)
double: double(‹'number'›)
double: ‹quantity›.asApproximateFloat()

string: ‹string› + ‹string›
string: string(‹int›)
string: string(‹uint›)
string: string(‹double›)
string: string(‹bool›)
string: string(‹bytes›)
string: string(‹timestamp›)
string: string(‹duration›)
string: string(‹string›)
string: string(‹ip›)
string: string(‹cidr›)
string: string(dyn(‹T›))
string: ‹string›.charAt(‹'index'›)
string: ‹list(string)›.join()
string: ‹list(string)›.join(‹string›)
string: ‹string›.lowerAscii()
string: ‹string›.upperAscii()
string: ‹string›.trim()
string: ‹string›.replace(‹string›, ‹string›)
string: ‹string›.replace(‹string›, ‹string›, ‹'index'›)
string: ‹string›.substring(‹'index'›)
string: ‹string›.substring(‹'index'›, ‹'index'›)
string: strings.quote(‹string›)
string: '%s'.format([‹T›])
string: 'a %s b %s'.format([‹T›, ‹U›])
string: '%d|%x|%X|%o|%b'.format([‹int›, ‹int›, ‹int›, ‹int›, ‹int›])
string: '%d %x'.format([‹uint›, ‹uint›])
string: '%x/%X'.format([‹string›, ‹bytes›])
string: '%f'.format([‹double›])
string: '%.2f %.3e'.format([‹double›, ‹double›])
string: '%e'.format([‹double›])
string: '%.0f%%'.format([‹double›])
string: '%b'.format([‹bool›])
string: ‹'format'›.format([‹T›])
string: ‹'format'›.format(‹list(T)›)
string: ‹string›.find(‹'regex'›)
string: ‹url›.getScheme()
string: ‹url›.getHost()
string: ‹url›.getHostname()
string: ‹url›.getPort()
string: ‹url›.getEscapedPath()
string: ‹url›.getQuery()[‹'field name'›][0]

bytes: bytes(‹string›)
bytes: bytes(‹bytes›)
bytes: ‹bytes› + ‹bytes›

timestamp: timestamp(‹'time'›)
timestamp: timestamp(‹int›)
timestamp: timestamp(‹timestamp›)
timestamp: ‹timestamp› + ‹duration›
timestamp: ‹duration› + ‹timestamp›
timestamp: ‹timestamp› - ‹duration›

duration: duration(‹'duration'›)
duration: duration(‹duration›)
duration: ‹timestamp› - ‹timestamp›
duration: ‹duration› + ‹duration›
duration: ‹duration› - ‹duration›

type: type(‹T›)
type: type(dyn(‹T›))

list(T): []
list(T): [‹T›]
list(T): [‹T›, ‹T›]
list(T): [‹T›, ‹T›, ‹T›]
list(T): [?‹opt(T)›, ‹T›]
list(T): [‹T›, ?‹opt(T)›]
list(T): ‹list(T)› + ‹list(T)›
list(T): ‹list(U)›.map(‹@U›, ‹T›)
list(T): ‹list(U)›.map(‹@U›, ‹bool›, ‹T›)
list(T): ‹list(T)›.filter(‹@T›, ‹bool›)
list(T): ‹map(K, U)›.map(‹@K›, ‹T›)
list(K): ‹map(K, U)›.filter(‹@K›, ‹bool›)
list(T): ‹list(U)›.transformList(‹@int›, ‹@U›, ‹T›)
list(T): ‹list(U)›.transformList(‹@int›, ‹@U›, ‹bool›, ‹T›)
list(T): ‹map(K, U)›.transformList(‹@K›, ‹@U›, ‹T›)
list(T): ‹map(K, U)›.transformList(‹@K›, ‹@U›, ‹bool›, ‹T›)
list(T): ‹list(T)›.distinct()
list(T): ‹list(list(T))›.flatten()
list(T): ‹list(T)›.reverse()
list(T): ‹list(T)›.slice(‹'index'›, ‹'index'›)
list(N): ‹list(N)›.sort()
list(T): ‹list(T)›.sortBy(‹@T›, ‹N›)
list(T): optional.unwrap(‹list(opt(T))›)
list(T): ‹list(opt(T))›.unwrapOpt()
list(dyn): ‹list(dyn)›.flatten(‹'index'›)
list(dyn): [‹dyn›, ‹dyn›]
list(int): lists.range(‹'index'›)
list(string): ‹string›.split(‹string›)
list(string): ‹string›.split(‹string›, ‹'index'›)
list(string): ‹string›.findAll(‹'regex'›)
list(string): ‹string›.findAll(‹'regex'›, ‹'index'›)
list(string): ‹format›.validate(‹'name'›).orValue([])

map(K, T): {}
map(K, T): {‹K›: ‹T›}
map(K, T): {‹K›: ‹T›, ‹K›: ‹T›}
map(K, T): {?‹K›: ‹opt(T)›}
map(string, T): {‹'field name'›: ‹T›, ‹'field name'›: ‹T›}
map(int, T): ‹list(U)›.transformMap(‹@int›, ‹@U›, ‹T›)
map(int, T): ‹list(U)›.transformMap(‹@int›, ‹@U›, ‹bool›, ‹T›)
map(K, T): ‹map(K, U)›.transformMap(‹@K›, ‹@U›, ‹T›)
map(K, T): ‹map(K, U)›.transformMap(‹@K›, ‹@U›, ‹bool›, ‹T›)
map(K, T): ‹list(U)›.transformMapEntry(‹@int›, ‹@U›, {‹K›: ‹T›})
map(K, T): ‹map(L, U)›.transformMapEntry(‹@string›, ‹@U›, {‹K›: ‹T›})
map(K, T): ‹map(string, U)›.transformMapEntry(‹@string›, ‹@U›, ‹bool›, {‹K›: ‹T›})
map(string, list(string)): ‹url›.getQuery()

opt(T): optional.of(‹T›)
opt(T): optional.ofNonZeroValue(‹T›)
opt(T): optional.none()
opt(T): ‹list(T)›[?‹'index'›]
opt(T): ‹map(K, T)›[?‹K›]
opt(T): ‹map(string, T)›.?‹'field'›
opt(T): ‹opt(T)›.or(‹opt(T)›)
opt(T): ‹opt(U)›.optMap(‹@U›, ‹T›)
opt(T): ‹opt(U)›.optFlatMap(‹@U›, ‹opt(T)›)
opt(T): ‹list(T)›.first()
opt(T): ‹list(T)›.last()
opt(T): ‹opt(map(string, T))›.?‹'field'›
opt(T): ‹opt(list(T))›[?‹'index'›]
opt(list(string)): ‹format›.validate(‹'name'›)

ip: ip(‹'ip'›)
ip: ‹cidr›.ip()
cidr: cidr(‹'cidr'›)
cidr: ‹cidr›.masked()
url: url(‹'url'›)
quantity: quantity(‹'quantity'›)
quantity: ‹quantity›.add(‹quantity›)
quantity: ‹quantity›.add(‹int›)
quantity: ‹quantity›.sub(‹quantity›)
quantity: ‹quantity›.sub(‹int›)
semver: semver(‹'semver'›)
semver: semver(‹'semver'›, ‹bool›)
format: format.named(‹'format name'›).value()
format: format.‹'format'›()
`)

// wrongRules make an expression of no type, or of one that is not what they say.
var wrongRules = parseRules(`
T: ‹U› + ‹V›
T: ‹U› && ‹V›
T: !‹U›
T: -‹U›
T: ‹U› < ‹V›
T: ‹U›[‹V›]
T: ‹U›.‹'field'›
T: ‹U›.‹'function'›()
T: ‹U›.‹'function'›(‹V›)
T: ‹'function'›(‹U›)
T: ‹'function'›(‹U›, ‹V›)
T: ‹'macro'›(‹U›)
T: ‹U›.‹'macro'›(x, ‹V›)
T: ‹U›.‹'macro'›(x, y, ‹V›)
T: ‹U›.‹'macro'›(x, y, ‹V›, ‹W›)
T: ‹U›.map(1, ‹V›)
T: ‹U›.exists(x.y, ‹V›)
T: ‹U›.all(x, x, ‹V›)
T: has(‹U›)
T: [‹U›, ‹V›]
T: {‹U›: ‹V›}
T: {‹U›: ‹V›, ‹W›: ‹V›}
T: ‹U› ? ‹V› : ‹W›
T: ‹U› == ‹V›
T: ‹U› in ‹V›
T: unknown
T: unknown(‹U›)
T: ‹U›.unknown(‹V›)
T: a.b.c
T: size(‹U›, ‹V›)
T: duration('1x')
T: timestamp('2024-13-01T00:00:00Z')
T: 'a'.matches('(')
T: '%d'.format(['a'])
T: '%s %s'.format([‹U›])
T: '%q'.format([‹U›])
T: Int{}
T: google.protobuf.Int64Value{value: ‹U›}
T: google.protobuf.Duration{seconds: ‹U›}
T: cel.bind(x, ‹U›, x)
T: math.greatest(‹U›, ‹V›)
T: base64.encode(‹bytes›)
T: [?‹U›]
T: {?‹U›: ‹V›}
T: ‹U›.?‹'field'›
T: ‹U›[?‹V›]
`)
