#Requires -Version 5.1
# 用 Windows 自带的 PowerShell 5.1 和 .NET 核对这份导出，不用文控程序，也不安装任何东西。
# 用法： powershell -ExecutionPolicy Bypass -File verify.ps1 -Root 封存的指纹单上的根证书指纹
# 每一步证明什么、不证明什么，见“怎样核对.txt”。全部相符时退出码为 0，有不符为 1，环境不合适为 2。
# 本程序只读取本目录。时间戳（.tsr）须用 openssl 核对，.NET 4 没有这项功能。
param([string]$Root = '')

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
if ($PSVersionTable.PSVersion.Major -ne 5) {
    Write-Host '请用 Windows PowerShell 5.1（powershell.exe）运行，不要用 PowerShell 7（pwsh.exe）。'
    exit 2
}
Add-Type -AssemblyName System.Security
Add-Type -AssemblyName System.Web.Extensions

$here = $PSScriptRoot
$ordinal = [StringComparer]::Ordinal
$sha256 = [Security.Cryptography.SHA256]::Create()
$json = New-Object System.Web.Script.Serialization.JavaScriptSerializer
$json.MaxJsonLength = [int]::MaxValue
$script:failures = 0
$script:told = 0

function New-Map { return , (New-Object 'System.Collections.Generic.Dictionary[string,object]' -ArgumentList $ordinal) }
function Fail([string]$path, [string]$what) { $script:failures++; Write-Host ('  不符  {0}：{1}' -f $path, $what) }
function Step([string]$title) { Write-Host ''; Write-Host $title; $script:told = $script:failures }
function Tell { if ($script:failures -eq $script:told) { Write-Host '  相符' } }
function Full([string]$path) { return [IO.Path]::Combine($here, $path.Replace('/', '\')) }
function Hex([byte[]]$bytes) { return [BitConverter]::ToString($bytes).Replace('-', '').ToLowerInvariant() }
function Sha([byte[]]$bytes) { return Hex ($sha256.ComputeHash($bytes)) }
function Bytes([string]$path) { return , ([IO.File]::ReadAllBytes((Full $path))) }
function FileSha([string]$path) {
    $stream = [IO.File]::OpenRead((Full $path))
    try { return Hex ($sha256.ComputeHash($stream)) } finally { $stream.Dispose() }
}
function Certificate([string]$path) {
    return New-Object Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (Full $path)
}
# JSON 中的一项；没有或为 null 时是空文字。
function Item($map, [string]$key) {
    if ($map -is [Collections.Generic.IDictionary[string, object]] -and $map.ContainsKey($key) -and $null -ne $map[$key]) { return $map[$key] }
    return ''
}
function Digest($text) { if ("$text".StartsWith('sha256:')) { return "$text".Substring(7) } return '' }

# ---------------------------------------------------------------------------------------------------------------
Step '第 1 步　文件清单：每个文件都与 SHA256SUMS 一致，不多不少'
$sums = New-Map
foreach ($line in [IO.File]::ReadAllLines((Full 'SHA256SUMS'), [Text.Encoding]::UTF8)) {
    if ($line -cnotmatch '^([0-9a-f]{64})  (.+)$') { Fail 'SHA256SUMS' '有一行读不懂'; continue }
    $name = $Matches[2]; $digest = $Matches[1]
    if ($sums.ContainsKey($name)) { Fail $name '在清单中列了两次' }
    $sums[$name] = $digest
}
if (Test-Path -LiteralPath (Full 'damage.txt')) { Fail 'damage.txt' '导出时档案已有不符，逐条见这个文件' }
$present = New-Map
foreach ($file in (Get-ChildItem -LiteralPath $here -Recurse -File -Force)) {
    $name = $file.FullName.Substring($here.TrimEnd('\').Length + 1).Replace('\', '/')
    if ($name -eq 'SHA256SUMS') { continue }
    $present[$name] = $true
    if (-not $sums.ContainsKey($name)) { Fail $name '文件在，清单中没有' }
    elseif ((FileSha $name) -cne $sums[$name]) { Fail $name '内容与清单不符' }
    if ($name.StartsWith('archive/') -and $name -cmatch '[^A-Za-z0-9._/-]') { Fail $name '文件名不可用' }
}
foreach ($name in $sums.Keys) { if (-not $present.ContainsKey($name)) { Fail $name '清单中有，文件不在' } }
Write-Host ('  共 {0} 个文件' -f $present.Count)
Tell

# ---------------------------------------------------------------------------------------------------------------
Step '第 2 步　根证书：请逐位核对下面的指纹与封存的指纹单'
$rootHex = Sha ((Certificate 'ca.pem').RawData)
Write-Host ('  根证书指纹（SHA-256）： {0}' -f $rootHex)
$wanted = ($Root -replace '[\s:]', '').ToLowerInvariant() -replace '^sha256', ''
if ($wanted -eq '') { Write-Host '  （您没有用 -Root 给出指纹；不与封存的指纹单核对，以下各步不能排除整套重做）' }
elseif ($wanted -cne $rootHex) { Fail 'ca.pem' ('指纹与您给出的 {0} 不同' -f $wanted) }
else { Write-Host '  与您给出的指纹相同' }
$certificates = New-Map
foreach ($name in $present.Keys) {
    if ($name -cnotmatch '^archive/certificates/(.*)\.pem$') { continue }
    $stated = $Matches[1]
    try { $one = Certificate $name } catch { Fail $name '证书读不出来'; continue }
    if ((Sha $one.RawData) -cne $stated) { Fail $name '证书内容与文件名中的指纹不符' } else { $certificates[$stated] = $one }
}
Tell

# ---------------------------------------------------------------------------------------------------------------
Step '第 3 步　条目与陈述：能读懂，首尾相接，不缺号，都属于这个工作区'
$site = $json.DeserializeObject([Text.Encoding]::UTF8.GetString((Bytes 'archive/site.json')))
$rows = New-Object Collections.Generic.List[object]
$byPath = New-Map
foreach ($name in $present.Keys) {
    if ($name -cnotmatch '^archive/.*\.json$' -or $name -eq 'archive/site.json' -or $name.StartsWith('archive/controlled-forms/')) { continue }
    try {
        $said = $json.DeserializeObject([Text.Encoding]::UTF8.GetString((Bytes $name)))
        $entry = (Item $said 'format') -ceq 'wenkong/entry/1'
        if (-not $entry -and (Item $said 'format') -cne 'wenkong/statement/1') { throw 'format' }
        $row = [pscustomobject]@{
            Path = $name; Entry = $entry; Said = $said; Sequence = [int](Item $said 'sequence')
            Chain = [string]$(if ($entry) { Item $said 'record' } else { Item $said 'chain' })
            Event = [string]$(if ($entry) { Item $said 'act' } else { Item $said 'event' })
            Previous = Digest (Item $said 'previous'); Person = [string](Item (Item $said 'by') 'person')
            Name = [string](Item (Item $said 'by') 'name'); Certificate = Digest (Item $said 'certificate')
            At = [DateTimeOffset]::Parse((Item $said 'at'), [Globalization.CultureInfo]::InvariantCulture)
            New = (Item $said 'new'); Old = (Item $said 'old'); Place = 0
        }
        $n = $row.Sequence
        if ($entry) {
            $parts = $row.Chain.Split('-'); $serial = [int]$parts[-1]; $year = $parts[-2]
            $form = $row.Chain.Substring(0, $row.Chain.Length - $parts[-1].Length - $year.Length - 2)
            $want = 'archive/{0}/{1}/{2:00}/{3:00}/{4}/{5:0000}.json' -f $form, $year, [Math]::Floor($serial / 10000), ([Math]::Floor($serial / 100) % 100), $row.Chain, $n
        } elseif ($row.Chain -ceq 'trail' -or $row.Chain -ceq 'timestamps') {
            $want = 'archive/{0}/{1:0000}/{2:00}/{3:00000000}.json' -f $row.Chain, [Math]::Floor($n / 10000), ([Math]::Floor($n / 100) % 100), $n
        } else { $want = 'archive/{0}/{1:0000}.json' -f $row.Chain, $n }
    } catch { Fail $name '空文件或读不懂'; continue }
    $rows.Add($row); $byPath[$name] = $row
    if ((Item $said 'workspace') -cne (Item $site 'workspace') -or (Item $said 'site') -cne (Item $site 'site')) { Fail $name '属于别的工作区或站点' }
    if ($want -cne $name) { Fail $name ('不在它自己写明的位置 {0}' -f $want) }
}
$serials = New-Map
foreach ($group in ($rows | Group-Object -Property Chain -CaseSensitive)) {
    $next = 1; $before = ''
    foreach ($row in ($group.Group | Sort-Object -Property Sequence)) {
        if ($row.Sequence -eq $next - 1) { Fail $row.Path '序号出现了两次' }
        elseif ($row.Sequence -ne $next) { Fail $row.Path ('前面缺少第 {0} 号起的内容' -f $next) }
        elseif ($before -eq '' -and $row.Previous -ne '') { Fail $row.Path '第一份却写明了前一份' }
        elseif ($before -ne '' -and $row.Previous -cne $sums[$before]) { Fail $row.Path '写明的前一份摘要与前一份的内容不符' }
        $next = $row.Sequence + 1; $before = $row.Path
    }
    if ($group.Group[0].Entry) {
        $cut = $group.Name.LastIndexOf('-'); $key = $group.Name.Substring(0, $cut)
        if (-not $serials.ContainsKey($key)) { $serials[$key] = New-Object Collections.Generic.List[int] }
        $serials[$key].Add([int]$group.Name.Substring($cut + 1))
    }
}
foreach ($key in $serials.Keys) {
    $want = 1
    foreach ($serial in ($serials[$key] | Sort-Object)) { if ($serial -ne $want) { Fail $key ('缺少第 {0} 份起的记录' -f $want) }; $want = $serial + 1 }
}
foreach ($name in $sums.Keys) {
    if ($name -cmatch '^archive/controlled-forms/([^/]*)/compiled\.json$' -and $Matches[1] -cne $sums[$name]) { Fail $name '表单内容与它的编号（摘要）不符' }
    if ($name -cmatch '/attachments/([0-9a-f]{64})$' -and $Matches[1] -cne $sums[$name]) { Fail $name '附件内容与它的摘要不符' }
}
Write-Host ('  条目 {0} 份，陈述 {1} 份' -f @($rows | Where-Object { $_.Entry }).Count, @($rows | Where-Object { -not $_.Entry }).Count)
Tell

# ---------------------------------------------------------------------------------------------------------------
Step '第 4 步　归档次序：每个文件何时归档，写明的时间与归档时间一致'
$place = New-Map; $filed = New-Map; $commits = New-Map; $number = -1; $seconds = [long]0; $times = New-Object Collections.Generic.List[long]
foreach ($line in [IO.File]::ReadAllLines((Full 'chain.txt'), [Text.Encoding]::UTF8)) {
    if ($line.StartsWith('#')) { continue }
    $words = $line.Split("`t")
    if ($words[0] -ceq 'commit') {
        $number++; $seconds = [long]$words[3]; $times.Add($seconds); $commits[$words[2]] = $number
        if ([int]$words[1] -ne $number) { Fail 'chain.txt' ('第 {0} 次归档的次序不对' -f $number) }
    } elseif ($words[0] -ceq 'file') {
        if ($place.ContainsKey($words[1])) { Fail $words[1] '在 chain.txt 中归档了两次' }
        $place[$words[1]] = $number; $filed[$words[1]] = $seconds
        if (-not $present.ContainsKey($words[1])) { Fail $words[1] 'chain.txt 中有，文件不在' }
    } else { Fail 'chain.txt' '有一行读不懂' }
}
foreach ($name in $present.Keys) { if ($name.StartsWith('archive/') -and -not $place.ContainsKey($name)) { Fail $name 'chain.txt 中没有它的归档次序'; $place[$name] = 0; $filed[$name] = [long]0 } }
$corrected = @{}
foreach ($row in $rows) {
    $row.Place = [int]$place[$row.Path]
    if ($row.At.ToUnixTimeSeconds() -ne [long]$filed[$row.Path]) { Fail $row.Path '写明的时间与归档时间不同' }
    if ($row.Event -ceq 'clock-corrected') { $corrected[$row.Place] = $true }
}
for ($i = 1; $i -lt $times.Count; $i++) { if ($times[$i] -lt $times[$i - 1] -and -not $corrected.ContainsKey($i)) { Fail 'chain.txt' ('第 {0} 次归档的时间早于前一次' -f $i) } }
Tell

# ---------------------------------------------------------------------------------------------------------------
Step '第 5 步　签名：逐份核对（数量多时需要较长时间）'
$roots = New-Map
foreach ($row in $rows) {
    if ($row.Chain -cne 'authority') { continue }
    $hex = Digest (Item $row.New 'root')
    if ($hex -ne '') { if ($certificates.ContainsKey($hex)) { $roots[$hex] = $certificates[$hex] } else { Fail $row.Path '缺少根证书' } }
}
# 返回签名人证书的指纹；签名不对时返回空文字并报告。
function Check-Signature([string]$path, [byte[]]$content, [DateTimeOffset]$at, [string]$expected) {
    try {
        $info = New-Object Security.Cryptography.Pkcs.ContentInfo -ArgumentList (, $content)
        $cms = New-Object Security.Cryptography.Pkcs.SignedCms -ArgumentList $info, $true
        $cms.Decode((Bytes $path))
        if ($cms.SignerInfos.Count -ne 1) { Fail $path '不是恰好一个签名'; return '' }
        $cms.CheckSignature($true)
    } catch { Fail $path '签名与内容不符'; return '' }
    $signer = $cms.SignerInfos[0]
    $holder = $signer.Certificate
    if ($null -eq $holder) { Fail $path '签名中没有签名人的证书'; return '' }
    $hex = Sha $holder.RawData
    if ($expected -ne '' -and $hex -cne $expected) { Fail $path '签名所用的证书不是内容写明的那一张'; return '' }
    $found = 0
    foreach ($attribute in $signer.SignedAttributes) {
        if ($attribute.Oid.Value -cne '1.2.840.113549.1.9.5') { continue }
        $found++
        $stated = New-Object Security.Cryptography.Pkcs.Pkcs9SigningTime -ArgumentList (, $attribute.Values[0].RawData)
        $moment = [DateTime]::SpecifyKind($stated.SigningTime, [DateTimeKind]::Utc)
        if ($moment -ne $at.UtcDateTime) { Fail $path '签名时间与写明的时间不同' }
    }
    if ($found -ne 1) { Fail $path '没有签名时间' }
    if ($at.UtcDateTime -lt $holder.NotBefore.ToUniversalTime() -or $at.UtcDateTime -gt $holder.NotAfter.ToUniversalTime()) { Fail $path '证书在签名时不在有效期内' }
    $chain = New-Object Security.Cryptography.X509Certificates.X509Chain
    $chain.ChainPolicy.RevocationMode = [Security.Cryptography.X509Certificates.X509RevocationMode]::NoCheck
    $chain.ChainPolicy.VerificationFlags = [Security.Cryptography.X509Certificates.X509VerificationFlags]::AllowUnknownCertificateAuthority
    $chain.ChainPolicy.VerificationTime = $at.LocalDateTime
    foreach ($one in $roots.Values) { [void]$chain.ChainPolicy.ExtraStore.Add($one) }
    $sound = $chain.Build($holder)
    $top = Sha ($chain.ChainElements[$chain.ChainElements.Count - 1].Certificate.RawData)
    $inside = $roots.ContainsKey($top)
    # 外部机构签发的证书不连到企业的根证书：凭登记和见证认可（第 6 步），并在这里数出来。
    if ($inside -and -not $sound) { Fail $path '证书不是由根证书有效签发的' }
    if (-not $inside) { $script:outside[$hex] = $true }
    return $hex
}
$script:outside = New-Map
$unsigned = @('sign-in-failed', 'sign-in-locked', 'signing-failed', 'refused', 'stamp-failed')
$count = 0
foreach ($row in $rows) {
    $own = $row.Path -creplace '\.json$', '.p7s'
    if ($row.Person -eq '') {
        if ($row.Entry -or $row.Certificate -ne '' -or $unsigned -cnotcontains $row.Event) { Fail $row.Path '没有写明签名人' }
        if ($present.ContainsKey($own)) { Fail $own '正文没有写明签名人，却有签名' }
        continue
    }
    $count++
    if ($count % 500 -eq 0) { Write-Progress -Activity '核对签名' -Status ('{0} 份' -f $count) }
    if (-not $present.ContainsKey($own)) { Fail $own '缺少签名'; continue }
    if (-not $certificates.ContainsKey($row.Certificate)) { Fail $row.Path '写明的证书不在导出中'; continue }
    [void](Check-Signature $own (Bytes $row.Path) $row.At $row.Certificate)
}
$witnesses = New-Map; $witnessCount = 0
foreach ($name in $present.Keys) {
    if ($name -cnotmatch '^(archive/.*)\.p7s$') { continue }
    $stem = $Matches[1]
    if ($byPath.ContainsKey($stem + '.json')) { continue }
    if ($stem -cnotmatch '^(.*/[0-9]+)\.([A-Za-z0-9][A-Za-z0-9._-]*)$' -or -not $byPath.ContainsKey($Matches[1] + '.json')) { Fail $name '没有它所签的正文'; continue }
    $main = $Matches[1] + '.json'; $person = $Matches[2]; $witnessCount++
    $hex = Check-Signature $name (Bytes $main) ([DateTimeOffset]::FromUnixTimeSeconds([long]$filed[$name])) ''
    if ($hex -eq '') { continue }
    if (-not $witnesses.ContainsKey($main)) { $witnesses[$main] = New-Object Collections.Generic.List[object] }
    $witnesses[$main].Add([pscustomobject]@{ Path = $name; Person = $person; Hex = $hex; Place = [int]$place[$name] })
}
Write-Host ('  签名 {0} 个，见证签名 {1} 个' -f $count, $witnessCount)
if ($script:outside.Count -gt 0) { Write-Host ('  其中 {0} 张证书不是企业根证书签发的（外部机构），凭登记和见证认可，请另行核对' -f $script:outside.Count) }
Tell

# ---------------------------------------------------------------------------------------------------------------
Step '第 6 步　谁可以签名：每个签名所用的证书当时已由本人登记、有人见证、没有吊销'
$posts = @('general_manager', 'legal_representative', 'quality_head', 'quality_officer', 'hr_clerk')
$rulesFile = 'library/signatures/signing.yml'
if ($present.ContainsKey($rulesFile)) {
    $rules = [Text.Encoding]::UTF8.GetString((Bytes $rulesFile))
    if ($rules -match '(?m)^witness_posts:[ \t]*\[([^\]]*)\]') { $posts = @($Matches[1].Split(',') | ForEach-Object { $_ -replace '[^A-Za-z0-9_]', '' } | Where-Object { $_ -ne '' }) }
    elseif ($rules -match '(?m)^witness_posts:[ \t]*(?:#.*)?\r?\n((?:[ \t]*-[^\n]*\n?)+)') { $posts = @([regex]::Matches($Matches[1], '-[ \t]*([a-z0-9_]+)') | ForEach-Object { $_.Groups[1].Value }) }
    $naming = @($rows | Where-Object { (Item (Item $_.Said 'files') 'signatures/signing.yml') -ne '' } | Sort-Object -Property Place)
    if ($naming.Count -eq 0 -or (Digest (Item (Item $naming[-1].Said 'files') 'signatures/signing.yml')) -cne $sums[$rulesFile]) { Fail $rulesFile '与签名陈述中写明的摘要不符' }
}
$held = New-Map; $full = New-Map; $current = New-Map; $pending = New-Map; $retired = New-Map; $shown = New-Map
$owner = New-Map; $begins = New-Map; $ends = New-Map
function Holds([string]$id, [string]$day) {
    if (-not $held.ContainsKey($id)) { return @() }
    return @($held[$id] | Where-Object {
        $since = [string](Item $_ 'since'); $until = [string](Item $_ 'until')
        $posts -ccontains (Item $_ 'post') -and ($since -eq '' -or [string]::CompareOrdinal($since, $day) -le 0) -and ($until -eq '' -or [string]::CompareOrdinal($day, $until) -le 0)
    } | ForEach-Object { [string](Item $_ 'post') })
}
# 看登记到第 until 次归档为止是否凑齐见证人。
function Settle([string]$id, [long]$until, [bool]$final) {
    if (-not $pending.ContainsKey($id)) { return }
    $open = $pending[$id]; $seen = @{}; $kinds = @(); $latest = $open.Row.Place
    $day = $open.Row.At.ToString('yyyy-MM-dd')
    if ($witnesses.ContainsKey($open.Row.Path)) {
        foreach ($one in $witnesses[$open.Row.Path]) {
            if ($one.Place -gt $until -or $one.Person -ceq $id -or $seen.ContainsKey($one.Person)) { continue }
            $counts = $owner.ContainsKey($one.Hex) -and $owner[$one.Hex] -ceq $one.Person -and $one.Place -ge $begins[$one.Hex] -and -not ($ends.ContainsKey($one.Hex) -and $one.Place -gt $ends[$one.Hex])
            if (-not $counts) { if ($final) { Fail $one.Path '见证人的证书当时不算数' }; continue }
            $has = @(Holds $one.Person $day)
            if ($has.Count -eq 0) { if ($final) { Fail $one.Path '见证人当时没有见证岗位' }; continue }
            $seen[$one.Person] = $true; $kinds += $has
            if ($one.Place -gt $latest) { $latest = $one.Place }
        }
    }
    $differ = @($kinds | Select-Object -Unique).Count -gt 1
    if ($seen.Count -ge $open.Needed -and ($open.Needed -lt 2 -or -not $open.Apart -or $differ)) {
        if ($current.ContainsKey($id)) { $ends[$current[$id]] = $latest }
        $hex = $open.Hex
        $current[$id] = $hex; $owner[$hex] = $id; $begins[$hex] = $latest; [void]$ends.Remove($hex); [void]$pending.Remove($id)
        $text = '{0} 见证人 {1} 位' -f $hex.Substring(0, 16), $seen.Count
        if ($shown.ContainsKey($id)) { $shown[$id] += '；' + $text } else { $shown[$id] = $text }
    } elseif ($final) { Fail $open.Row.Path ('登记还差 {0} 位见证人，这张证书不算数' -f [Math]::Max(1, $open.Needed - $seen.Count)) }
}
# 需要几位见证人：登记时和生效前任何时候，别人中可以见证的人数的最大值，至多两位。
function Recount([string]$id, [string]$day) {
    $others = 0; $kinds = @()
    foreach ($other in @($current.Keys)) {
        if ($other -ceq $id -or $retired.ContainsKey($other)) { continue }
        $has = @(Holds $other $day)
        if ($has.Count -gt 0) { $others++; $kinds += $has }
    }
    $open = $pending[$id]
    $open.Needed = [Math]::Max($open.Needed, [Math]::Min(2, $others))
    if (@($kinds | Select-Object -Unique).Count -gt 1) { $open.Apart = $true }
}
$nowRoot = ''
$steps = @($rows | Where-Object { $_.Chain -ceq 'authority' -or $_.Chain.StartsWith('people/') } | ForEach-Object {
    [pscustomobject]@{ Row = $_; Place = [long]$_.Place; Sequence = [double]$_.Sequence; Witness = $false }
    if ($_.Event -ceq 'person-enrolled' -and $witnesses.ContainsKey($_.Path)) {
        foreach ($one in $witnesses[$_.Path]) { [pscustomobject]@{ Row = $_; Place = [long]$one.Place; Sequence = [double]$_.Sequence + 0.5; Witness = $true } }
    }
} | Sort-Object -Property Place, Sequence)
foreach ($step in $steps) {
    $row = $step.Row; $id = $row.Chain -creplace '^people/', ''; $day = $row.At.ToString('yyyy-MM-dd')
    if ($step.Witness) {
        if ($pending.ContainsKey($id) -and $pending[$id].Row.Path -ceq $row.Path) { Recount $id $day; Settle $id $step.Place $false }
        foreach ($other in @($pending.Keys)) { Recount $other $day }
        continue
    }
    switch -CaseSensitive ($row.Event) {
        'person-registered' { $held[$id] = @(Item $row.New 'posts'); $full[$id] = [string](Item $row.New 'name') }
        'person-posts-changed' { $held[$id] = @(Item $row.New 'posts') }
        'person-enrolled' {
            $hex = Digest (Item $row.New 'certificate')
            if (-not $full.ContainsKey($id)) { Fail $row.Path '登记的人员没有先注册' }
            elseif ($row.Person -cne $id -or $row.Certificate -cne $hex) { Fail $row.Path '登记不是由本人用新证书签名的' }
            elseif ($owner.ContainsKey($hex) -or $retired.ContainsKey($id)) { Fail $row.Path '证书或人员编号不能再次使用' }
            else {
                $pending[$id] = [pscustomobject]@{ Row = $row; Hex = $hex; Needed = 0; Apart = $false }
                Recount $id $day
                Settle $id $row.Place $false
            }
        }
        'person-revoked' {
            $hex = Digest (Item $row.New 'certificate')
            if ($owner.ContainsKey($hex)) { $ends[$hex] = $row.Place }
            if ($current.ContainsKey($id) -and $current[$id] -ceq $hex) { [void]$current.Remove($id) }
            if ($pending.ContainsKey($id) -and $pending[$id].Hex -ceq $hex) { [void]$pending.Remove($id) }
        }
        'person-retired' {
            $retired[$id] = $true
            if ($current.ContainsKey($id)) { $ends[$current[$id]] = $row.Place; [void]$current.Remove($id) }
            [void]$pending.Remove($id)
        }
        'authority-founded' { $nowRoot = Digest (Item $row.New 'root'); if ($nowRoot -cne (Digest (Item $site 'root'))) { Fail $row.Path '根证书与 site.json 写明的不同' } }
        'authority-replaced' {
            if ((Digest (Item $row.Old 'root')) -cne $nowRoot) { Fail $row.Path '没有写对原来的根证书' }
            $others = @(@($current.Keys) | Where-Object { $_ -cne $row.Person -and @(Holds $_ $day).Count -gt 0 }).Count
            if ($others -gt 0 -and -not $witnesses.ContainsKey($row.Path)) { Fail $row.Path '根证书更换没有第二人签名' }
            $nowRoot = Digest (Item $row.New 'root')
        }
    }
    foreach ($other in @($pending.Keys)) { Recount $other $day }
}
foreach ($other in @($pending.Keys)) { Settle $other ([long]::MaxValue) $true }
if ($nowRoot -eq '') { Fail 'archive/authority' '没有设立证书机构的陈述' } elseif ($nowRoot -cne $rootHex) { Fail 'ca.pem' '不是归档中现行的根证书' }
foreach ($row in $rows) {
    if ($row.Person -eq '' -or ($row.Event -ceq 'person-enrolled' -and $row.Certificate -ceq (Digest (Item $row.New 'certificate')))) { continue }
    $hex = $row.Certificate
    if (-not $owner.ContainsKey($hex) -or $row.Place -lt $begins[$hex]) { Fail $row.Path '证书当时没有完成登记和见证' }
    elseif ($owner[$hex] -cne $row.Person) { Fail $row.Path ('证书属于 {0}，不属于写明的 {1}' -f $owner[$hex], $row.Person) }
    elseif ($full[$row.Person] -cne $row.Name) { Fail $row.Path '写明的姓名不是登记的姓名' }
    elseif ($ends.ContainsKey($hex) -and $row.Place -gt $ends[$hex]) { Fail $row.Path '证书当时已吊销、停用或被取代' }
}
foreach ($id in ($full.Keys | Sort-Object)) { Write-Host ('  {0} {1}　证书 {2}' -f $id, $full[$id], $(if ($shown.ContainsKey($id)) { $shown[$id] } else { '（没有有效证书）' })) }
Write-Host '  见证人不足 2 位的登记，是当时还没有两位可以见证的人；请向企业核实第一批人员。'
Tell

# ---------------------------------------------------------------------------------------------------------------
Step '第 7 步　每日总摘要：自上一份以来归档的全部文件'
$since = -1; $branch = 'archive/' + (Item $site 'site')
foreach ($row in @($rows | Where-Object { $_.Chain -ceq 'timestamps' -and (Item $_.New 'added') -ne '' } | Sort-Object -Property Sequence)) {
    $head = [string](Item (Item $row.New 'heads') $branch)
    if ($head -eq '' -or -not $commits.ContainsKey($head)) { Fail $row.Path '写明的档案提交不在 chain.txt 中'; continue }
    $until = [int]$commits[$head]
    [string[]]$names = @($place.Keys | Where-Object { $place[$_] -gt $since -and $place[$_] -le $until -and $sums.ContainsKey($_) } | ForEach-Object { $_.Substring('archive/'.Length) })
    [Array]::Sort($names, $ordinal)
    $text = New-Object Text.StringBuilder
    foreach ($name in $names) { [void]$text.Append($sums['archive/' + $name]).Append('  ').Append($name).Append("`n") }
    if ((Sha ([Text.Encoding]::UTF8.GetBytes($text.ToString()))) -cne (Digest (Item $row.New 'added'))) { Fail $row.Path '总摘要与其间归档的文件不符' }
    $since = $until
}
$stamps = @($present.Keys | Where-Object { $_.StartsWith('archive/timestamps/') -and $_.EndsWith('.tsr') }).Count
if ($stamps -gt 0) { Write-Host ('  有 {0} 个时间戳没有在这里核对：请用 openssl ts -verify（见“怎样核对.txt”第 7 步）。' -f $stamps) }
else { Write-Host '  没有时间戳：时间未经独立证明。' }
Tell

# ---------------------------------------------------------------------------------------------------------------
Write-Host ''
if ($script:failures -eq 0) { Write-Host '结论：全部相符。'; exit 0 }
Write-Host ('结论：有 {0} 处不符，见上。' -f $script:failures)
exit 1
