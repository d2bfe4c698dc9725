; The installer for Windows. `installer/windows/setup.py` defines AppVersion, Program, Root,
; OutputDir and OutputName, and Signed where there is a tool that signs. Not tested on Windows yet.

#define Id "io.github.attune.Attune"
#define ProgId "Attune.Profile"

[Setup]
; Never another one: by it the next version finds this one.
AppId={{6C1B0F0E-6E0B-4D57-9C0B-6E9C0B7B52A4}
AppName=Attune
AppVersion={#AppVersion}
AppVerName=Attune {#AppVersion}
AppPublisher=The Attune developers
VersionInfoVersion={#AppVersion}
DefaultDirName={localappdata}\Programs\Attune
DefaultGroupName=Attune
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
LicenseFile={#Root}\LICENSE
OutputDir={#OutputDir}
OutputBaseFilename={#OutputName}
SetupIconFile={#Root}\build\attune.ico
UninstallDisplayIcon={app}\attune-window.exe
UninstallDisplayName=Attune
Compression=lzma2/max
SolidCompression=yes
WizardStyle=modern
ChangesAssociations=yes
ChangesEnvironment=yes
CloseApplications=yes
#ifdef Signed
; Signs the installer, and the uninstaller in it.
SignTool=attune
#endif

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"
Name: "de"; MessagesFile: "compiler:Languages\German.isl"

[CustomMessages]
en.DesktopIcon=Put Attune on the desktop
de.DesktopIcon=Attune auf den Desktop legen
en.ToPath=Make the command "attune" known in terminals
de.ToPath=Den Befehl „attune“ in Terminals bekannt machen
en.EraseData=Erase your chats, votes and settings, too? They are in%n%n%1%n%nThis cannot be undone.
de.EraseData=Auch Chats, Bewertungen und Einstellungen löschen? Sie liegen in%n%n%1%n%nDas lässt sich nicht rückgängig machen.

[Tasks]
Name: "desktop"; Description: "{cm:DesktopIcon}"; Flags: unchecked
Name: "path"; Description: "{cm:ToPath}"; Flags: unchecked

[InstallDelete]
; What an older version had and this one has not would be found and loaded.
Type: filesandordirs; Name: "{app}\_internal"
Type: filesandordirs; Name: "{app}\download"

[Files]
Source: "{#Program}\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{autoprograms}\Attune"; Filename: "{app}\attune-window.exe"; AppUserModelID: "{#Id}"
Name: "{autodesktop}\Attune"; Filename: "{app}\attune-window.exe"; AppUserModelID: "{#Id}"; Tasks: desktop

[Registry]
; Only our own type is claimed; GGUF files get one more entry under "Open with".
Root: HKCU; Subkey: "Software\Classes\.attune-profile"; ValueType: string; ValueData: "{#ProgId}"; Flags: uninsdeletevalue uninsdeletekeyifempty
Root: HKCU; Subkey: "Software\Classes\{#ProgId}"; ValueType: string; ValueData: "Attune profile"; Flags: uninsdeletekey
Root: HKCU; Subkey: "Software\Classes\{#ProgId}\DefaultIcon"; ValueType: string; ValueData: "{app}\attune-window.exe,0"
Root: HKCU; Subkey: "Software\Classes\{#ProgId}\shell\open\command"; ValueType: string; ValueData: """{app}\attune-window.exe"" ""%1"""
Root: HKCU; Subkey: "Software\Classes\Applications\attune-window.exe"; ValueType: string; ValueName: "FriendlyAppName"; ValueData: "Attune"; Flags: uninsdeletekey
Root: HKCU; Subkey: "Software\Classes\Applications\attune-window.exe\SupportedTypes"; ValueType: string; ValueName: ".gguf"; ValueData: ""
Root: HKCU; Subkey: "Software\Classes\Applications\attune-window.exe\shell\open\command"; ValueType: string; ValueData: """{app}\attune-window.exe"" ""%1"""
Root: HKCU; Subkey: "Software\Classes\.gguf"; Flags: uninsdeletekeyifempty
Root: HKCU; Subkey: "Software\Classes\.gguf\OpenWithList"; Flags: uninsdeletekeyifempty
Root: HKCU; Subkey: "Software\Classes\.gguf\OpenWithList\attune-window.exe"; Flags: uninsdeletekey
Root: HKCU; Subkey: "Environment"; ValueType: expandsz; ValueName: "Path"; ValueData: "{olddata};{app}"; Tasks: path; Check: NotOnPath

[Run]
Filename: "{app}\attune-window.exe"; Description: "{cm:LaunchProgram,Attune}"; Flags: nowait postinstall skipifsilent

[Code]
{ Where this program stands in a list of folders that begins and ends with a semicolon; 0 if it does not. }
function PlaceOnPath(const Path: string): Integer;
begin
  Result := Pos(';' + Uppercase(ExpandConstant('{app}')) + ';', Uppercase(Path));
end;

function NotOnPath: Boolean;
var
  Path: string;
begin
  if not RegQueryStringValue(HKCU, 'Environment', 'Path', Path) then
    Path := '';
  Result := PlaceOnPath(';' + Path + ';') = 0;
end;

procedure LeavePath;
var
  Path: string;
  Place: Integer;
begin
  if not RegQueryStringValue(HKCU, 'Environment', 'Path', Path) then
    exit;
  Path := ';' + Path + ';';
  Place := PlaceOnPath(Path);
  if Place = 0 then
    exit;
  Delete(Path, Place, Length(ExpandConstant('{app}')) + 1);
  RegWriteExpandStringValue(HKCU, 'Environment', 'Path', Copy(Path, 2, Length(Path) - 2));
end;

{ What belongs to the owner stays, unless the owner says otherwise; nobody is asked in silence. }
procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Data: string;
begin
  if Step <> usPostUninstall then
    exit;
  LeavePath;
  Data := ExpandConstant('{localappdata}\attune');
  if DirExists(Data) and not UninstallSilent then
    if SuppressibleMsgBox(FmtMessage(CustomMessage('EraseData'), [Data]), mbConfirmation,
        MB_YESNO or MB_DEFBUTTON2, IDNO) = IDYES then
      DelTree(Data, True, True, True);
end;
