function Stop-Here([string] $why) {
    [Console]::Error.WriteLine($why)
    exit 1
}

if ([Environment]::OSVersion.Platform -ne 'Win32NT') { Stop-Here $text.NoWindows }

$rule = 'AssumeUDPEncapsulationContextOnSendRule'
$agent = 'HKLM:\SYSTEM\CurrentControlSet\Services\PolicyAgent'
$mark = 'Sekisho: ' + $connection
$restart = 10

function Test-Administrator {
    $who = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
    return $who.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

# Names are compared here: cmdlets would take signs in them for patterns.
function Get-Connection {
    return Get-VpnConnection -ErrorAction SilentlyContinue | Where-Object { $_.Name -ceq $connection }
}

function Get-Rules {
    return Get-DnsClientNrptRule -ErrorAction SilentlyContinue | Where-Object { $_.Comment -ceq $mark }
}

function Get-Authority {
    return New-Object Security.Cryptography.X509Certificates.X509Certificate2(, [Convert]::FromBase64String($authority))
}

# What is wanted of the connection, for Add-VpnConnection and Set-VpnConnection alike.
function Get-Wanted {
    $wanted = @{
        Name = $connection
        ServerAddress = $server
        TunnelType = 'L2tp'
        AuthenticationMethod = $logins
        EncryptionLevel = 'Required'
        Force = $true
    }
    if ($key -ne '') { $wanted.L2tpPsk = $key }
    if ($logins -contains 'Eap') { $wanted.EapConfigXmlStream = (New-EapConfiguration).EapConfigXmlStream }
    return $wanted
}

# ---- whether it is as it should be ----

function Test-Vpn {
    $have = Get-Connection
    return $null -ne $have -and $have.ServerAddress -ceq $server -and $have.TunnelType -eq 'L2tp' -and
        $have.SplitTunneling -eq $split -and $have.EncryptionLevel -eq 'Required' -and
        $null -eq (Compare-Object @($have.AuthenticationMethod) $logins)
}

function Test-Routes {
    $have = Get-Connection
    if ($null -eq $have) { return $false }
    $there = @($have.Routes | Where-Object { $null -ne $_ } | ForEach-Object { $_.DestinationPrefix })
    return @($routes | Where-Object { $there -notcontains $_ }).Count -eq 0 -and
        @($there | Where-Object { $routes -notcontains $_ }).Count -eq 0
}

function Test-Nat {
    $have = Get-ItemProperty -Path $agent -Name $rule -ErrorAction SilentlyContinue
    return $null -ne $have -and $have.$rule -eq 2
}

function Test-Dns {
    $have = @(Get-Rules)
    if ($domains.Count -eq 0) { return $have.Count -eq 0 }
    $names = @($have | ForEach-Object { $_.Namespace })
    $servers = @($have | ForEach-Object { $_.NameServers } | ForEach-Object { "$_" } | Select-Object -Unique)
    return $null -ne $names[0] -and $null -eq (Compare-Object $names $domains) -and
        $null -ne $servers[0] -and $null -eq (Compare-Object $servers $dns)
}

function Test-Certificate {
    if ($pkcs12 -eq '') { return $true }
    if ($authority -eq '') { return @(Get-ChildItem Cert:\LocalMachine\My).Count -gt 0 }
    $ca = Get-Authority
    return @(Get-ChildItem Cert:\LocalMachine\Root | Where-Object { $_.Thumbprint -eq $ca.Thumbprint }).Count -gt 0 -and
        @(Get-ChildItem Cert:\LocalMachine\My | Where-Object { $_.Issuer -ceq $ca.Subject -and $_.HasPrivateKey }).Count -gt 0
}

# ---- the whole computer's settings: run by an administrator ----

function Set-Dns {
    Get-Rules | ForEach-Object { Remove-DnsClientNrptRule -Name $_.Name -Force }
    foreach ($domain in $domains) {
        $null = Add-DnsClientNrptRule -Namespace $domain -NameServers $dns -Comment $mark
    }
}

function Import-Certificates {
    if ($authority -ne '') {
        $root = New-Object Security.Cryptography.X509Certificates.X509Store('Root', 'LocalMachine')
        $root.Open('ReadWrite')
        $root.Add((Get-Authority))
        $root.Close()
    }
    $secret = New-Object Security.SecureString
    if ($password -ne '') {
        $password.ToCharArray() | ForEach-Object { $secret.AppendChar($_) }
    } else {
        $secret = Read-Host -AsSecureString $text.Password
    }
    $file = [IO.Path]::GetTempFileName()
    try {
        [IO.File]::WriteAllBytes($file, [Convert]::FromBase64String($pkcs12))
        $null = Import-PfxCertificate -FilePath $file -CertStoreLocation Cert:\LocalMachine\My -Password $secret
    } finally {
        Remove-Item -LiteralPath $file
    }
}

function Set-Machine {
    $code = 0
    if ($Remove) {
        Get-Rules | ForEach-Object { Remove-DnsClientNrptRule -Name $_.Name -Force }
        return $code
    }
    if (-not (Test-Nat)) {
        $null = New-ItemProperty -Path $agent -Name $rule -PropertyType DWord -Value 2 -Force
        $code = $restart
    }
    if (-not (Test-Dns)) { Set-Dns }
    if (-not (Test-Certificate)) { Import-Certificates }
    return $code
}

# An administrator does it at once; for others Windows asks, and runs this file again for that part alone.
function Invoke-Machine {
    if (Test-Administrator) { return Set-Machine }
    Write-Host $text.Elevate
    $words = @('-NoProfile', '-ExecutionPolicy', 'Bypass', '-File', ('"' + $PSCommandPath + '"'), '-Machine')
    if ($Remove) { $words += '-Remove' }
    try {
        return (Start-Process powershell.exe -Verb RunAs -ArgumentList $words -Wait -PassThru).ExitCode
    } catch {
        return 1
    }
}

# ---- the connection: the user's own ----

function Set-Connection {
    $wanted = Get-Wanted
    if ($null -eq (Get-Connection)) {
        Add-VpnConnection @wanted -SplitTunneling:$split -RememberCredential
    } else {
        Set-VpnConnection @wanted -SplitTunneling $split
    }
}

function Set-Routes {
    $there = @((Get-Connection).Routes | Where-Object { $null -ne $_ } | ForEach-Object { $_.DestinationPrefix })
    foreach ($route in $there) {
        if ($routes -notcontains $route) { Remove-VpnConnectionRoute -ConnectionName $connection -DestinationPrefix $route }
    }
    foreach ($route in $routes) {
        if ($there -notcontains $route) { Add-VpnConnectionRoute -ConnectionName $connection -DestinationPrefix $route }
    }
}

function Show-State([string] $what, [bool] $good) {
    Write-Host ('{0}: {1}' -f $what, $(if ($good) { $text.Good } else { $text.Missing }))
    if (-not $good) { $script:wrong = $true }
}

# ---- the three ways to run it ----

if ($Machine) { exit (Set-Machine) }

if ($Check) {
    $wrong = $false
    Show-State $text.Connection (Test-Vpn)
    Show-State $text.Routes (Test-Routes)
    Show-State $text.Nat (Test-Nat)
    Show-State $text.Dns (Test-Dns)
    if ($pkcs12 -ne '') { Show-State $text.Certificate (Test-Certificate) }
    exit ([int] $wrong)
}

if ($Remove) {
    if ($null -ne (Get-Connection)) { Remove-VpnConnection -Name $connection -Force }
    if (@(Get-Rules).Count -gt 0 -and (Invoke-Machine) -ne 0) { Stop-Here $text.Refused }
    Write-Host $text.Removed
    exit 0
}

Set-Connection
Set-Routes
$code = 0
if (-not ((Test-Nat) -and (Test-Dns) -and (Test-Certificate))) { $code = Invoke-Machine }
if ($code -ne 0 -and $code -ne $restart) { Stop-Here $text.Refused }
Write-Host $text.Ready
if ($code -eq $restart) { Write-Host $text.Restart }
exit 0
