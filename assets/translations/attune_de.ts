<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>Erase “{0}” for good?</source>
        <translation>„{0}“ endgültig löschen?</translation>
    </message>
    <message>
        <source>It is erased here and in all copies. That cannot be undone.</source>
        <translation>Der Chat wird hier und in allen Kopien gelöscht. Das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
        <source>Erase for good</source>
        <translation>Endgültig löschen</translation>
    </message>
    <message>
        <source>Nothing of a private chat is kept.</source>
        <translation>Von einem privaten Chat wird nichts aufbewahrt.</translation>
    </message>
    <message>
        <source>Leave the private chat?</source>
        <translation>Den privaten Chat verlassen?</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>Verlassen</translation>
    </message>
    <message>
        <source>Export this chat</source>
        <translation>Diesen Chat exportieren</translation>
    </message>
    <message>
        <source>Export all chats</source>
        <translation>Alle Chats exportieren</translation>
    </message>
    <message>
        <source>Everything, one file (*.json)</source>
        <translation>Alles in einer Datei (*.json)</translation>
    </message>
    <message>
        <source>To read, a folder of files (*)</source>
        <translation>Zum Lesen, ein Ordner mit Dateien (*)</translation>
    </message>
    <message>
        <source>Import chats</source>
        <translation>Chats importieren</translation>
    </message>
    <message>
        <source>Chats of Attune, ChatGPT or Open WebUI (*.json *.zip);;All files (*)</source>
        <translation>Chats aus Attune, ChatGPT oder Open WebUI (*.json *.zip);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Title of the chat</source>
        <translation>Titel des Chats</translation>
    </message>
    <message>
        <source>To read (*.md);;Everything (*.json);;To print (*.pdf)</source>
        <translation>Zum Lesen (*.md);;Alles (*.json);;Zum Drucken (*.pdf)</translation>
    </message>
    <message>
        <source>Zip files (*.zip);;Folders (*)</source>
        <translation>Zip-Dateien (*.zip);;Ordner (*)</translation>
    </message>
    <message>
        <source>Export everything</source>
        <translation>Alles exportieren</translation>
    </message>
    <message>
        <source>Put a copy back?</source>
        <translation>Eine Kopie zurückholen?</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>Save receipt</source>
        <translation>Beleg speichern</translation>
    </message>
    <message>
        <source>Text files (*.txt)</source>
        <translation>Textdateien (*.txt)</translation>
    </message>
    <message>
        <source>Models (*.gguf);;All files (*)</source>
        <translation>Modelle (*.gguf);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Add a model</source>
        <translation>Modell hinzufügen</translation>
    </message>
    <message>
        <source>Remove it?</source>
        <translation>Entfernen?</translation>
    </message>
    <message>
        <source>Delete it</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Import a profile</source>
        <translation>Profil importieren</translation>
    </message>
    <message>
        <source>Profiles (*{0});;All files (*)</source>
        <translation>Profile (*{0});;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Export profile</source>
        <translation>Profil exportieren</translation>
    </message>
    <message>
        <source>Profiles (*{0})</source>
        <translation>Profile (*{0})</translation>
    </message>
    <message>
        <source>There is a profile {0} already. Replace it?</source>
        <translation>Es gibt schon ein Profil {0}. Ersetzen?</translation>
    </message>
    <message>
        <source>What is in it is lost then.</source>
        <translation>Was darin steht, ist dann verloren.</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>Ersetzen</translation>
    </message>
    <message>
        <source>Add files to merge</source>
        <translation>Dateien zum Zusammenführen hinzufügen</translation>
    </message>
    <message>
        <source>Adapters and models (*.gguf *.safetensors);;All files (*)</source>
        <translation>Adapter und Modelle (*.gguf *.safetensors);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Remove {0}?</source>
        <translation>{0} entfernen?</translation>
    </message>
    <message>
        <source>The file is deleted, and what is known of it. That cannot be undone.</source>
        <translation>Die Datei wird gelöscht und mit ihr alles, was über sie bekannt ist. Das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
        <source>A chat without words</source>
        <translation>Ein Chat ohne Worte</translation>
    </message>
    <message>
        <source>Nothing new: all chats of the file are here already.</source>
        <translation>Nichts Neues: Alle Chats der Datei sind schon hier.</translation>
    </message>
    <message>
        <source>There are no chats in the file.</source>
        <translation>In der Datei sind keine Chats.</translation>
    </message>
    <message numerus="yes">
        <source>%n chat(s)</source>
        <translation>
            <numerusform>%n Chat</numerusform>
            <numerusform>%n Chats</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n message(s)</source>
        <translation>
            <numerusform>%n Nachricht</numerusform>
            <numerusform>%n Nachrichten</numerusform>
        </translation>
    </message>
    <message>
        <source>{0} with {1} imported.</source>
        <translation>{0} mit {1} importiert.</translation>
    </message>
    <message numerus="yes">
        <source>%n was/were here already</source>
        <translation>
            <numerusform>einer war schon hier</numerusform>
            <numerusform>%n waren schon hier</numerusform>
        </translation>
    </message>
    <message>
        <source>{0} with {1} imported, {2}.</source>
        <translation>{0} mit {1} importiert, {2}.</translation>
    </message>
    <message>
        <source>Exported to {0}.</source>
        <translation>Exportiert nach {0}.</translation>
    </message>
    <message numerus="yes">
        <source>%n file(s) exported to {0}.</source>
        <translation>
            <numerusform>%n Datei nach {0} exportiert.</numerusform>
            <numerusform>%n Dateien nach {0} exportiert.</numerusform>
        </translation>
    </message>
    <message>
        <source>Pinned</source>
        <translation>Angeheftet</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>Heute</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>Gestern</translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation>Früher</translation>
    </message>
    <message>
        <source>Everything is on this computer, in one folder: {0}.</source>
        <translation>Alles liegt auf diesem Computer, in einem Ordner: {0}.</translation>
    </message>
    <message>
        <source>kB</source>
        <translation>kB</translation>
    </message>
    <message>
        <source>MB</source>
        <translation>MB</translation>
    </message>
    <message>
        <source>Chats</source>
        <translation>Chats</translation>
    </message>
    <message>
        <source>Votes</source>
        <translation>Stimmen</translation>
    </message>
    <message>
        <source>What I learned</source>
        <translation>Was ich gelernt habe</translation>
    </message>
    <message>
        <source>Measured answers</source>
        <translation>Gemessene Antworten</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Made in the workshop</source>
        <translation>In der Werkstatt gemacht</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Copies</source>
        <translation>Kopien</translation>
    </message>
    <message>
        <source>Stopped work</source>
        <translation>Angehaltene Arbeit</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message numerus="yes">
        <source>%Ln, the trash included</source>
        <comment>chats</comment>
        <translation>
            <numerusform>einer, Gelöschtes inbegriffen</numerusform>
            <numerusform>%Ln, Gelöschte inbegriffen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln that count(s)</source>
        <comment>votes</comment>
        <translation>
            <numerusform>eine, die zählt</numerusform>
            <numerusform>%Ln, die zählen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln trait(s), worked out from the votes</source>
        <translation>
            <numerusform>ein Merkmal</numerusform>
            <numerusform>%Ln Merkmale, aus den Stimmen errechnet</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln, for the portfolio</source>
        <comment>measured answers</comment>
        <translation>
            <numerusform>eine, für das Portfolio</numerusform>
            <numerusform>%Ln, für das Portfolio</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>a list of %Ln; the file(s) stay(s) where you have them</source>
        <comment>models</comment>
        <translation>
            <numerusform>eine Liste mit einem; seine Datei bleibt, wo sie ist</numerusform>
            <numerusform>eine Liste mit %Ln; ihre Dateien bleiben, wo sie sind</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln adapter(s) and model(s)</source>
        <translation>
            <numerusform>ein Adapter oder Modell</numerusform>
            <numerusform>%Ln Adapter und Modelle</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s)</source>
        <translation>
            <numerusform>eine Datei</numerusform>
            <numerusform>%Ln Dateien</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln, of chats and votes</source>
        <comment>copies</comment>
        <translation>
            <numerusform>eine, von Chats oder Stimmen</numerusform>
            <numerusform>%Ln, von Chats und Stimmen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln piece(s) that can go on</source>
        <translation>
            <numerusform>ein Stück, das weitergehen kann</numerusform>
            <numerusform>%Ln Stücke, die weitergehen können</numerusform>
        </translation>
    </message>
    <message>
        <source>was replaced by a copy</source>
        <translation>wurde durch eine Kopie ersetzt</translation>
    </message>
    <message>
        <source>Put back the chats of {0}?</source>
        <translation>Die Chats vom {0} zurückholen?</translation>
    </message>
    <message>
        <source>Put back the votes of {0}?</source>
        <translation>Die Stimmen vom {0} zurückholen?</translation>
    </message>
    <message>
        <source>Put back the copy of {0}?</source>
        <translation>Die Kopie vom {0} zurückholen?</translation>
    </message>
    <message>
        <source>All chats of now are replaced, the newer ones too.</source>
        <translation>Alle jetzigen Chats werden ersetzt, auch die neueren.</translation>
    </message>
    <message>
        <source>All votes of now are replaced, the newer ones too.</source>
        <translation>Alle jetzigen Stimmen werden ersetzt, auch die neueren.</translation>
    </message>
    <message>
        <source>What is there now is replaced.</source>
        <translation>Was jetzt da ist, wird ersetzt.</translation>
    </message>
    <message>
        <source>What is there now is kept as one more copy.</source>
        <translation>Was jetzt da ist, bleibt als weitere Kopie erhalten.</translation>
    </message>
    <message>
        <source>The chats of {0} are back. What was there is kept as one more copy.</source>
        <translation>Die Chats vom {0} sind zurück. Was vorher da war, bleibt als weitere Kopie erhalten.</translation>
    </message>
    <message>
        <source>The votes of {0} are back. What was there is kept as one more copy.</source>
        <translation>Die Stimmen vom {0} sind zurück. Was vorher da war, bleibt als weitere Kopie erhalten.</translation>
    </message>
    <message>
        <source>The copy of {0} is back. What was there is kept as one more copy.</source>
        <translation>Die Kopie vom {0} ist zurück. Was vorher da war, bleibt als weitere Kopie erhalten.</translation>
    </message>
    <message>
        <source>All files were checked; none is damaged.</source>
        <translation>Alle Dateien wurden geprüft, keine ist beschädigt.</translation>
    </message>
    <message>
        <source>Only Attune&apos;s download program opens connections, and it is started only when you ask for a model; nothing else in Attune opens one.</source>
        <translation>Nur das Ladeprogramm von Attune öffnet Verbindungen, und es startet nur, wenn ein Modell geholt werden soll; sonst öffnet nichts in Attune eine.</translation>
    </message>
    <message>
        <source>Tried just now: the process that runs models was refused one by the system.</source>
        <translation>Gerade ausprobiert: Dem Prozess, in dem Modelle laufen, hat das System eine Verbindung verweigert.</translation>
    </message>
    <message>
        <source>This system offers no way to forbid it to the process that runs models.</source>
        <translation>Auf diesem System lässt sie sich dem Prozess, in dem Modelle laufen, nicht verbieten.</translation>
    </message>
    <message>
        <source>Everything is in {0}: {1}, {2}.</source>
        <translation>Alles liegt in {0}: {1}, {2}.</translation>
    </message>
    <message numerus="yes">
        <source>%n vote(s)</source>
        <translation>
            <numerusform>eine Stimme</numerusform>
            <numerusform>%n Stimmen</numerusform>
        </translation>
    </message>
    <message>
        <source>What I learned is in {0}: {1}, {2}.</source>
        <translation>Das Gelernte liegt in {0}: {1}, {2}.</translation>
    </message>
    <message numerus="yes">
        <source>Left out: %n that no profile may hold.</source>
        <comment>votes</comment>
        <translation>
            <numerusform>Weggelassen: eine, die in kein Profil gehört.</numerusform>
            <numerusform>Weggelassen: %n, die in kein Profil gehören.</numerusform>
        </translation>
    </message>
    <message>
        <source>The receipt is in {0}.</source>
        <translation>Der Beleg liegt in {0}.</translation>
    </message>
    <message numerus="yes">
        <source>%n file(s) is/are erased, {0}.</source>
        <translation>
            <numerusform>Eine Datei ist gelöscht, {0}.</numerusform>
            <numerusform>%n Dateien sind gelöscht, {0}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n could not be; the receipt says which, and why.</source>
        <comment>erased files</comment>
        <translation>
            <numerusform>Eine ließ sich nicht löschen; welche und warum, steht im Beleg.</numerusform>
            <numerusform>%n ließen sich nicht löschen; welche und warum, steht im Beleg.</numerusform>
        </translation>
    </message>
    <message>
        <source>The profile “{0}”</source>
        <translation>Das Profil „{0}“</translation>
    </message>
    <message>
        <source>Written {0}</source>
        <translation>Geschrieben am {0}</translation>
    </message>
    <message>
        <source>The profile “{0}” is taken in: {1}.</source>
        <translation>Das Profil „{0}“ ist übernommen: {1}.</translation>
    </message>
    <message numerus="yes">
        <source>{0}, %n known already</source>
        <translation>
            <numerusform>{0}, %n schon bekannt</numerusform>
            <numerusform>{0}, %n schon bekannt</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{0}, %n of yours count(s) no more</source>
        <translation>
            <numerusform>{0}, %n von hier zählt nicht mehr</numerusform>
            <numerusform>{0}, %n von hier zählen nicht mehr</numerusform>
        </translation>
    </message>
    <message>
        <source>Where a vote differs ({0}), the file&apos;s counts.</source>
        <translation>Wo eine Stimme abweicht ({0}), zählt die der Datei.</translation>
    </message>
    <message>
        <source>Where a vote differs ({0}), yours stays.</source>
        <translation>Wo eine Stimme abweicht ({0}), bleibt die hiesige.</translation>
    </message>
    <message>
        <source>Left out, because they are about other duels here: {0}.</source>
        <translation>Weggelassen, weil sie hier zu anderen Vergleichen gehören: {0}.</translation>
    </message>
    <message>
        <source>With question and answers: {0}.</source>
        <translation>Mit Frage und Antworten: {0}.</translation>
    </message>
    <message numerus="yes">
        <source>%n new vote(s)</source>
        <translation>
            <numerusform>eine neue Stimme</numerusform>
            <numerusform>%n neue Stimmen</numerusform>
        </translation>
    </message>
    <message>
        <source>Adds your own: {0}</source>
        <translation>Fügt ein eigenes hinzu: {0}</translation>
    </message>
    <message>
        <source>Words anew: {0}</source>
        <translation>Formuliert neu: {0}</translation>
    </message>
    <message>
        <source>Asks no more about: {0}</source>
        <translation>Fragt nicht mehr nach: {0}</translation>
    </message>
    <message>
        <source>Asks again about: {0}</source>
        <translation>Fragt wieder nach: {0}</translation>
    </message>
    <message>
        <source>Not taken in: {0}</source>
        <translation>Nicht übernommen: {0}</translation>
    </message>
    <message>
        <source>not asked about</source>
        <translation>nicht gefragt</translation>
    </message>
    <message>
        <source>{0}: {1}</source>
        <translation>{0}: {1}</translation>
    </message>
    <message>
        <source>Nothing learned yet</source>
        <translation>Noch nichts gelernt</translation>
    </message>
    <message numerus="yes">
        <source>From %n vote(s).</source>
        <translation>
            <numerusform>Aus einer Stimme.</numerusform>
            <numerusform>Aus %n Stimmen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n vote(s) count(s) in its/their own chat only, and not here.</source>
        <translation>
            <numerusform>Eine Stimme zählt nur in ihrem Chat, hier nicht.</numerusform>
            <numerusform>%n Stimmen zählen nur in ihren Chats, hier nicht.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n vote(s) could not be read and do(es) not count.</source>
        <translation>
            <numerusform>Eine Stimme war nicht lesbar und zählt nicht.</numerusform>
            <numerusform>%n Stimmen waren nicht lesbar und zählen nicht.</numerusform>
        </translation>
    </message>
    <message>
        <source>There is nothing left to settle.</source>
        <translation>Es ist nichts mehr zu klären.</translation>
    </message>
    <message>
        <source>Some more comparisons would settle the rest.</source>
        <translation>Einige weitere Vergleiche würden den Rest klären.</translation>
    </message>
    <message numerus="yes">
        <source>About %n more comparison(s) would settle the rest.</source>
        <translation>
            <numerusform>Noch ein Vergleich würde den Rest klären.</numerusform>
            <numerusform>Etwa %n weitere Vergleiche würden den Rest klären.</numerusform>
        </translation>
    </message>
    <message>
        <source>not known yet</source>
        <translation>noch nicht bekannt</translation>
    </message>
    <message>
        <source>{0} sure</source>
        <translation>{0} sicher</translation>
    </message>
    <message>
        <source>It is not known yet whether you like {0} or {1}.</source>
        <translation>Noch ist offen, was besser gefällt: {0} oder {1}.</translation>
    </message>
    <message>
        <source>{0} sure you like {1}.</source>
        <translation>Zu {0} sicher: lieber {1}.</translation>
    </message>
    <message>
        <source>How much: {0}.</source>
        <translation>Wie sehr: {0}.</translation>
    </message>
    <message>
        <source>How much: between {0} and {1}.</source>
        <translation>Wie sehr: zwischen {0} und {1}.</translation>
    </message>
    <message>
        <source>It could still be either: {0} “{1}”, or {2} “{3}”.</source>
        <translation>Noch ist beides möglich: {0} „{1}“ oder {2} „{3}“.</translation>
    </message>
    <message>
        <source>It steers answers.</source>
        <translation>Das steuert Antworten.</translation>
    </message>
    <message>
        <source>It does not steer answers now.</source>
        <translation>Das steuert derzeit keine Antworten.</translation>
    </message>
    <message numerus="yes">
        <source>About %n more comparison(s) would probably settle it.</source>
        <translation>
            <numerusform>Noch ein Vergleich würde es wohl klären.</numerusform>
            <numerusform>Etwa %n weitere Vergleiche würden es wohl klären.</numerusform>
        </translation>
    </message>
    <message>
        <source>A was better</source>
        <translation>A war besser</translation>
    </message>
    <message>
        <source>B was better</source>
        <translation>B war besser</translation>
    </message>
    <message>
        <source>about equal</source>
        <translation>etwa gleich</translation>
    </message>
    <message>
        <source>neither</source>
        <translation>keine von beiden</translation>
    </message>
    <message>
        <source>in its chat only</source>
        <translation>nur in ihrem Chat</translation>
    </message>
    <message>
        <source>“{0}”</source>
        <translation>„{0}“</translation>
    </message>
    <message>
        <source>barely</source>
        <translation>kaum</translation>
    </message>
    <message>
        <source>slightly</source>
        <translation>etwas</translation>
    </message>
    <message>
        <source>clearly</source>
        <translation>deutlich</translation>
    </message>
    <message>
        <source>strongly</source>
        <translation>stark</translation>
    </message>
    <message>
        <source>shorter answers</source>
        <translation>kürzere Antworten</translation>
    </message>
    <message>
        <source>longer answers</source>
        <translation>längere Antworten</translation>
    </message>
    <message>
        <source>bulleted lists</source>
        <translation>Aufzählungen</translation>
    </message>
    <message>
        <source>flowing paragraphs</source>
        <translation>Fließtext</translation>
    </message>
    <message>
        <source>a formal tone</source>
        <translation>förmliche Sprache</translation>
    </message>
    <message>
        <source>a casual tone</source>
        <translation>lockere Sprache</translation>
    </message>
    <message>
        <source>simple words</source>
        <translation>einfache Wörter</translation>
    </message>
    <message>
        <source>technical words</source>
        <translation>Fachbegriffe</translation>
    </message>
    <message>
        <source>headings and bold words</source>
        <translation>Überschriften und Fettdruck</translation>
    </message>
    <message>
        <source>plain text</source>
        <translation>Text ohne Auszeichnung</translation>
    </message>
    <message>
        <source>a warm tone</source>
        <translation>herzliche Sprache</translation>
    </message>
    <message>
        <source>a neutral tone</source>
        <translation>nüchterne Sprache</translation>
    </message>
    <message>
        <source>vivid images</source>
        <translation>lebhafte Bilder</translation>
    </message>
    <message>
        <source>plain, literal wording</source>
        <translation>schlichte, wörtliche Sprache</translation>
    </message>
    <message>
        <source>cautious wording</source>
        <translation>vorsichtige Wortwahl</translation>
    </message>
    <message>
        <source>direct wording</source>
        <translation>direkte Wortwahl</translation>
    </message>
    <message>
        <source>speaking to you</source>
        <translation>persönliche Anrede</translation>
    </message>
    <message>
        <source>impersonal wording</source>
        <translation>unpersönliche Sprache</translation>
    </message>
    <message>
        <source>numbers and dates</source>
        <translation>Zahlen und Jahreszahlen</translation>
    </message>
    <message>
        <source>no numbers</source>
        <translation>keine Zahlen</translation>
    </message>
    <message>
        <source>good answers</source>
        <translation>gute Antworten</translation>
    </message>
    <message>
        <source>shorter or longer answers</source>
        <translation>kürzere oder längere Antworten</translation>
    </message>
    <message>
        <source>simple or technical words</source>
        <translation>einfache Wörter oder Fachbegriffe</translation>
    </message>
    <message>
        <source>cautious or direct wording</source>
        <translation>vorsichtige oder direkte Wortwahl</translation>
    </message>
    <message>
        <source>plain</source>
        <translation>unverändert</translation>
    </message>
    <message>
        <source>short</source>
        <translation>kurz</translation>
    </message>
    <message>
        <source>detailed</source>
        <translation>ausführlich</translation>
    </message>
    <message>
        <source>in lists</source>
        <translation>in Listen</translation>
    </message>
    <message>
        <source>flowing</source>
        <translation>zusammenhängend</translation>
    </message>
    <message>
        <source>formal</source>
        <translation>förmlich</translation>
    </message>
    <message>
        <source>casual</source>
        <translation>locker</translation>
    </message>
    <message>
        <source>simple</source>
        <translation>einfach</translation>
    </message>
    <message>
        <source>technical</source>
        <translation>fachlich</translation>
    </message>
    <message>
        <source>with headings</source>
        <translation>mit Überschriften</translation>
    </message>
    <message>
        <source>unformatted</source>
        <translation>unformatiert</translation>
    </message>
    <message>
        <source>warm</source>
        <translation>herzlich</translation>
    </message>
    <message>
        <source>matter-of-fact</source>
        <translation>sachlich</translation>
    </message>
    <message>
        <source>vivid</source>
        <translation>bildhaft</translation>
    </message>
    <message>
        <source>literal</source>
        <translation>wörtlich</translation>
    </message>
    <message>
        <source>careful</source>
        <translation>vorsichtig</translation>
    </message>
    <message>
        <source>decided</source>
        <translation>entschieden</translation>
    </message>
    <message>
        <source>personal</source>
        <translation>persönlich</translation>
    </message>
    <message>
        <source>impersonal</source>
        <translation>unpersönlich</translation>
    </message>
    <message>
        <source>with figures</source>
        <translation>mit Zahlen</translation>
    </message>
    <message>
        <source>without figures</source>
        <translation>ohne Zahlen</translation>
    </message>
    <message>
        <source>concise</source>
        <translation>knapp</translation>
    </message>
    <message>
        <source>One answer leans to {0}, the other does not.</source>
        <translation>Eine Antwort neigt zu „{0}“, die andere nicht.</translation>
    </message>
    <message>
        <source>You seem to like {0} ({1} sure); this would tell.</source>
        <translation>Vermutlich lieber {0} ({1} sicher). Das würde es zeigen.</translation>
    </message>
    <message>
        <source>The second answer tries something that has not been compared yet; your choice tells which way to go.</source>
        <translation>Die zweite Antwort versucht etwas, das noch nicht verglichen wurde; die Wahl zeigt, wohin es gehen soll.</translation>
    </message>
    <message>
        <source>{0}: {1} → {2} sure.</source>
        <translation>{0}: {1} → {2} sicher.</translation>
    </message>
    <message>
        <source>{0}: still {1} sure.</source>
        <translation>{0}: weiter {1} sicher.</translation>
    </message>
    <message>
        <source>{0}: {1} → {2} sure; {3}: {4} → {5}.</source>
        <translation>{0}: {1} → {2} sicher; {3}: {4} → {5}.</translation>
    </message>
    <message>
        <source>{0}: still {1} sure; {2}: {3} → {4}.</source>
        <translation>{0}: weiter {1} sicher; {2}: {3} → {4}.</translation>
    </message>
    <message>
        <source>Noted. The next answer takes it into account.</source>
        <translation>Gemerkt. Die nächste Antwort berücksichtigt es.</translation>
    </message>
    <message>
        <source>Noted: neither is what you want.</source>
        <translation>Gemerkt: Keine von beiden war gewünscht.</translation>
    </message>
    <message>
        <source>Noted: it makes little difference to you.</source>
        <translation>Gemerkt: Es macht kaum einen Unterschied.</translation>
    </message>
    <message>
        <source>Noted: as expected.</source>
        <translation>Gemerkt: wie erwartet.</translation>
    </message>
    <message>
        <source>over {0} %</source>
        <translation>über {0} %</translation>
    </message>
    <message>
        <source>under {0} %</source>
        <translation>unter {0} %</translation>
    </message>
    <message>
        <source>not: {0}</source>
        <translation>nicht: {0}</translation>
    </message>
    <message>
        <source>the vote</source>
        <translation>die Stimme</translation>
    </message>
    <message>
        <source>the vote on {0}</source>
        <translation>die Stimme zu „{0}“</translation>
    </message>
    <message>
        <source>the deletion of the vote</source>
        <translation>das Löschen der Stimme</translation>
    </message>
    <message>
        <source>the deletion of the vote on {0}</source>
        <translation>das Löschen der Stimme zu „{0}“</translation>
    </message>
    <message>
        <source>the forgetting of {0}</source>
        <translation>das Vergessen von „{0}“</translation>
    </message>
    <message>
        <source>the reset</source>
        <translation>der Neubeginn</translation>
    </message>
    <message>
        <source>the addition of {0}</source>
        <translation>das Hinzufügen von „{0}“</translation>
    </message>
    <message>
        <source>the removal of {0}</source>
        <translation>das Entfernen von „{0}“</translation>
    </message>
    <message>
        <source>the choice of another setting</source>
        <translation>die Wahl einer anderen Variante</translation>
    </message>
    <message>
        <source>the choice of another setting for {0}</source>
        <translation>die Wahl einer anderen Variante für {0}</translation>
    </message>
    <message>
        <source>the import of {0}</source>
        <translation>der Import von {0}</translation>
    </message>
    <message>
        <source>the last change</source>
        <translation>die letzte Änderung</translation>
    </message>
    <message>
        <source>because you like {0}</source>
        <translation>wegen der Vorliebe für {0}</translation>
    </message>
    <message>
        <source>because you took it</source>
        <translation>weil sie gewählt wurde</translation>
    </message>
    <message>
        <source>because it does best on the whole</source>
        <translation>weil sie insgesamt am besten abschneidet</translation>
    </message>
    <message>
        <source>best at {0}</source>
        <translation>am besten bei: {0}</translation>
    </message>
    <message>
        <source>a bit of everything</source>
        <translation>von allem etwas</translation>
    </message>
    <message>
        <source>the only one kept</source>
        <translation>die einzige behaltene</translation>
    </message>
    <message>
        <source>{0} (stated)</source>
        <translation>{0} (vorgegeben)</translation>
    </message>
    <message>
        <source>{0} (strength {1})</source>
        <translation>{0} (Stärke {1})</translation>
    </message>
    <message>
        <source>It has no answer to {0} of {1} questions.</source>
        <translation>Antworten fehlen: {0} von {1} Fragen.</translation>
    </message>
    <message>
        <source>It answered {0} of {1} questions about dangers safely.</source>
        <translation>Auf Fragen nach Gefahren waren {0} von {1} Antworten sicher.</translation>
    </message>
    <message>
        <source>Its model was removed.</source>
        <translation>Das Modell dazu wurde entfernt.</translation>
    </message>
    <message>
        <source>Its model was removed. Add it again.</source>
        <translation>Das Modell dazu wurde entfernt. Bitte wieder hinzufügen.</translation>
    </message>
    <message>
        <source>{0} needs {1} GB of memory; this computer has {2}.</source>
        <translation>{0} braucht {1} GB Speicher; dieser Computer hat {2}.</translation>
    </message>
    <message>
        <source>{0} is not the file that was measured. Build again.</source>
        <translation>{0} ist nicht die Datei, die gemessen wurde. Bitte neu messen.</translation>
    </message>
    <message>
        <source>Your votes now ask for {0}, which was not measured. Build again.</source>
        <translation>Die Stimmen sprechen jetzt für: {0}. Das wurde nicht gemessen; bitte neu messen.</translation>
    </message>
    <message>
        <source>Answers are scored in another way since this was built. Build again; it is quick.</source>
        <translation>Antworten werden inzwischen anders bewertet. Bitte neu messen; das geht schnell.</translation>
    </message>
    <message>
        <source>Only one setting was measured, so there was nothing to choose from.</source>
        <translation>Nur eine Variante wurde gemessen, es gab also keine Wahl.</translation>
    </message>
    <message>
        <source>Whatever mix of {0} you want, one of these {1} reaches {2} of the best of the {3} settings measured{4}. It was measured on {5} questions that nothing was chosen on, by Attune&apos;s own scores.</source>
        <translation>Welche Mischung auch gewünscht ist ({0}): Eine dieser {1} erreicht {2} der besten von {3} gemessenen Varianten{4}. Gemessen an {5} Fragen, nach denen nichts ausgewählt wurde, mit Attunes eigenen Bewertungen.</translation>
    </message>
    <message>
        <source>Whatever mix of {0} you want, this one setting reaches {1} of the best of the {2} settings measured{3}. It was measured on {4} questions that nothing was chosen on, by Attune&apos;s own scores.</source>
        <translation>Welche Mischung auch gewünscht ist ({0}): Diese eine Variante erreicht {1} der besten von {2} gemessenen{3}. Gemessen an {4} Fragen, nach denen nichts ausgewählt wurde, mit Attunes eigenen Bewertungen.</translation>
    </message>
    <message>
        <source>at least {0} %</source>
        <translation>mindestens {0} %</translation>
    </message>
    <message>
        <source> ({0} to {1} %, were other questions asked)</source>
        <translation> ({0} bis {1} %, wären andere Fragen gestellt worden)</translation>
    </message>
    <message>
        <source>Nobody is served worse than by the best setting measured.</source>
        <translation>Niemand wird schlechter bedient als mit der besten gemessenen Variante.</translation>
    </message>
    <message>
        <source>Worst served: someone who wants {0}; {1} % short of the best.</source>
        <translation>Am schlechtesten bedient: wer dies wünscht: {0}; es fehlen {1} % zur besten.</translation>
    </message>
    <message>
        <source>only {0}</source>
        <translation>nur {0}</translation>
    </message>
    <message>
        <source>{0} The text so far is kept. It is being started again; ask again when it is back.</source>
        <translation>{0} Der Text bis hierher bleibt erhalten. Der Prozess wird neu gestartet; dann kann neu gefragt werden.</translation>
    </message>
    <message>
        <source>{0} It is being started again; ask again when it is back.</source>
        <translation>{0} Er wird neu gestartet; dann kann neu gefragt werden.</translation>
    </message>
    <message>
        <source>{0} Trying again with {1}.</source>
        <translation>{0} Neuer Versuch mit {1}.</translation>
    </message>
    <message>
        <source>{0} Trying again.</source>
        <translation>{0} Neuer Versuch.</translation>
    </message>
    <message>
        <source>The model&apos;s process was ended from outside, perhaps because memory ran out; a smaller model needs less.</source>
        <translation>Der Prozess des Modells wurde von außen beendet, vielleicht weil der Speicher nicht reichte; ein kleineres Modell braucht weniger.</translation>
    </message>
    <message>
        <source>The model&apos;s process used an instruction that this processor does not have.</source>
        <translation>Der Prozess des Modells benutzte einen Befehl, den dieser Prozessor nicht hat.</translation>
    </message>
    <message>
        <source>The model&apos;s process ended because memory ran out; a smaller model needs less.</source>
        <translation>Der Prozess des Modells endete, weil der Speicher nicht reichte; ein kleineres Modell braucht weniger.</translation>
    </message>
    <message>
        <source>llama.cpp gave up on this model file; it may be damaged.</source>
        <translation>llama.cpp kam mit dieser Modelldatei nicht zurecht; vielleicht ist sie beschädigt.</translation>
    </message>
    <message>
        <source>The model&apos;s process crashed.</source>
        <translation>Der Prozess des Modells ist abgestürzt.</translation>
    </message>
    <message>
        <source>The model&apos;s process ended without being asked to.</source>
        <translation>Der Prozess des Modells endete von selbst.</translation>
    </message>
    <message>
        <source>The model&apos;s process did not stop and was ended.</source>
        <translation>Der Prozess des Modells hielt nicht an und wurde beendet.</translation>
    </message>
    <message>
        <source>The model&apos;s process was silent while in {0} and was ended.</source>
        <translation>Der Prozess des Modells meldete sich nicht mehr ({0}) und wurde beendet.</translation>
    </message>
    <message>
        <source>First start: finding the settings that work on this computer. Once only.</source>
        <translation>Erster Start: Es wird gesucht, was auf diesem Computer läuft. Nur dieses eine Mal.</translation>
    </message>
    <message>
        <source>Measuring your models</source>
        <translation>Die Modelle werden gemessen</translation>
    </message>
    <message>
        <source>Reading the lessons</source>
        <translation>Die Lektionen werden gelesen</translation>
    </message>
    <message>
        <source>Asking for lessons</source>
        <translation>Lektionen werden erfragt</translation>
    </message>
    <message>
        <source>Asking with the adapter</source>
        <translation>Fragen mit dem Adapter</translation>
    </message>
    <message>
        <source>Asking without the adapter</source>
        <translation>Fragen ohne den Adapter</translation>
    </message>
    <message>
        <source>Measuring the time</source>
        <translation>Die Zeit wird gemessen</translation>
    </message>
    <message>
        <source>Training, loss {0}</source>
        <translation>Training, Verlust {0}</translation>
    </message>
    <message>
        <source>Checking {0}</source>
        <translation>{0} wird geprüft</translation>
    </message>
    <message>
        <source>Comparing: {0}</source>
        <translation>Vergleich: {0}</translation>
    </message>
    <message>
        <source>Learning the mask: epoch {0} of {1}, loss {2}</source>
        <translation>Die Maske wird gelernt: Epoche {0} von {1}, Verlust {2}</translation>
    </message>
    <message>
        <source>Learning the mask: epoch {0} of {1}</source>
        <translation>Die Maske wird gelernt: Epoche {0} von {1}</translation>
    </message>
    <message>
        <source>Learning mask {0} of {1}: epoch {2} of {3}, loss {4}</source>
        <translation>Maske {0} von {1} wird gelernt: Epoche {2} von {3}, Verlust {4}</translation>
    </message>
    <message>
        <source>Learning mask {0} of {1}: epoch {2} of {3}</source>
        <translation>Maske {0} von {1} wird gelernt: Epoche {2} von {3}</translation>
    </message>
    <message>
        <source>Writing the merged model</source>
        <translation>Das zusammengeführte Modell wird geschrieben</translation>
    </message>
    <message>
        <source>{0} thread</source>
        <translation>{0} Thread</translation>
    </message>
    <message>
        <source>{0} threads</source>
        <translation>{0} Threads</translation>
    </message>
    <message>
        <source>{0}, without repacked weights, {1}, context {2}</source>
        <translation>{0}, ohne umgepackte Gewichte, {1}, Kontext {2}</translation>
    </message>
    <message>
        <source>{0}, {1}, context {2}</source>
        <translation>{0}, {1}, Kontext {2}</translation>
    </message>
    <message>
        <source>It was stopped. Begun again, it goes on where it was.</source>
        <translation>Angehalten. Neu begonnen, geht es an derselben Stelle weiter.</translation>
    </message>
    <message>
        <source>The merge was stopped. Begun again, the same one goes on where it was.</source>
        <translation>Das Zusammenführen wurde angehalten. Neu begonnen, geht dasselbe an dieser Stelle weiter.</translation>
    </message>
    <message>
        <source>The training was stopped. Begun again, the same one goes on where it was.</source>
        <translation>Das Training wurde angehalten. Neu begonnen, geht dasselbe an dieser Stelle weiter.</translation>
    </message>
    <message>
        <source>{0} The starter model answers.</source>
        <translation>{0} Das Startmodell antwortet.</translation>
    </message>
    <message>
        <source>{0} Until then answers are not steered by your votes.</source>
        <translation>{0} Bis dahin steuern die Stimmen keine Antworten.</translation>
    </message>
    <message>
        <source>The chat has outgrown what the model can read at once: its oldest {0} messages are no longer part of the question.</source>
        <translation>Der Chat ist länger, als das Modell auf einmal lesen kann: Die ältesten {0} Nachrichten gehören nicht mehr zur Frage.</translation>
    </message>
    <message>
        <source>The best that this machine runs well</source>
        <translation>Das beste, das hier gut läuft</translation>
    </message>
    <message>
        <source>Small, and runs well here</source>
        <translation>Klein und läuft hier gut</translation>
    </message>
    <message>
        <source>Small and quick</source>
        <translation>Klein und schnell</translation>
    </message>
    <message>
        <source>Better answers, but too large for this machine</source>
        <translation>Bessere Antworten, aber zu groß für diesen Computer</translation>
    </message>
    <message>
        <source>Better answers, but a tight fit for this machine</source>
        <translation>Bessere Antworten, aber knapp für diesen Computer</translation>
    </message>
    <message>
        <source>Reading {0}</source>
        <translation>{0} wird gelesen</translation>
    </message>
    <message>
        <source>Connected to {0}.</source>
        <translation>Verbunden mit {0}.</translation>
    </message>
    <message>
        <source>no such host</source>
        <translation>kein solcher Rechner</translation>
    </message>
    <message>
        <source>certificate refused</source>
        <translation>Zertifikat abgelehnt</translation>
    </message>
    <message>
        <source>no TLS</source>
        <translation>kein TLS</translation>
    </message>
    <message>
        <source>no answer in time</source>
        <translation>keine Antwort in der Zeit</translation>
    </message>
    <message>
        <source>broken off</source>
        <translation>abgerissen</translation>
    </message>
    <message>
        <source>closed by the other side</source>
        <translation>von der Gegenseite beendet</translation>
    </message>
    <message>
        <source>Nothing is downloaded with --offline. Leave it out to get the model.</source>
        <translation>Mit --offline wird nichts heruntergeladen. Zum Holen des Modells bitte weglassen.</translation>
    </message>
    <message>
        <source>Attune is set to work offline, so nothing is downloaded. Switch that off first.</source>
        <translation>Attune arbeitet offline, deshalb wird nichts heruntergeladen. Bitte erst ausschalten.</translation>
    </message>
    <message>
        <source>preferences</source>
        <translation>Vorlieben</translation>
    </message>
    <message>
        <source>strength</source>
        <translation>Stärke</translation>
    </message>
    <message>
        <source>neutral</source>
        <translation>neutral</translation>
    </message>
    <message>
        <source>what matters</source>
        <translation>was wichtig ist</translation>
    </message>
    <message>
        <source>old votes</source>
        <translation>alte Stimmen</translation>
    </message>
    <message>
        <source>on</source>
        <translation>an</translation>
    </message>
    <message>
        <source>off</source>
        <translation>aus</translation>
    </message>
    <message>
        <source>nothing set</source>
        <translation>nichts eingestellt</translation>
    </message>
    <message>
        <source>count fully</source>
        <translation>zählen voll</translation>
    </message>
    <message>
        <source>count half once {0} are newer</source>
        <translation>zählen halb, sobald {0} neuer sind</translation>
    </message>
    <message>
        <source>{0}, {1}</source>
        <comment>a list</comment>
        <translation>{0}, {1}</translation>
    </message>
    <message>
        <source>{0} and {1}</source>
        <translation>{0} und {1}</translation>
    </message>
    <message>
        <source>{0} or {1}</source>
        <translation>{0} oder {1}</translation>
    </message>
    <message>
        <source>Models on this computer: {0}.</source>
        <translation>Modelle auf diesem Computer: {0}.</translation>
    </message>
    <message>
        <source>{0} answers now.</source>
        <translation>{0} antwortet jetzt.</translation>
    </message>
    <message>
        <source>GB</source>
        <translation>GB</translation>
    </message>
    <message>
        <source>less than one megabyte</source>
        <translation>weniger als ein Megabyte</translation>
    </message>
    <message>
        <source>fits well</source>
        <translation>passt gut</translation>
    </message>
    <message>
        <source>tight: takes {0} of {1} memory</source>
        <translation>knapp: braucht {0} von {1} Speicher</translation>
    </message>
    <message>
        <source>too large: takes {0} of {1} memory</source>
        <translation>zu groß: braucht {0} von {1} Speicher</translation>
    </message>
    <message>
        <source>less than a word a second, measured here</source>
        <translation>weniger als ein Wort pro Sekunde, hier gemessen</translation>
    </message>
    <message numerus="yes">
        <source>about %Ln word(s) a second, measured here</source>
        <translation>
            <numerusform>etwa ein Wort pro Sekunde, hier gemessen</numerusform>
            <numerusform>etwa %Ln Wörter pro Sekunde, hier gemessen</numerusform>
        </translation>
    </message>
    <message>
        <source>not verified yet</source>
        <translation>noch nicht geprüft</translation>
    </message>
    <message>
        <source>verified on {0}</source>
        <translation>geprüft am {0}</translation>
    </message>
    <message>
        <source>The file is deleted from the disk, which frees {0}: {1}</source>
        <translation>Die Datei wird von der Festplatte gelöscht, das macht {0} frei: {1}</translation>
    </message>
    <message>
        <source>It is taken off the list. Its file is not there any more.</source>
        <translation>Es wird von der Liste genommen. Seine Datei ist nicht mehr da.</translation>
    </message>
    <message>
        <source>It is taken off the list. The file stays where it is: {0}</source>
        <translation>Es wird von der Liste genommen. Die Datei bleibt, wo sie ist: {0}</translation>
    </message>
    <message>
        <source>{0} of {1} are here already.</source>
        <translation>{0} von {1} sind schon hier.</translation>
    </message>
    <message>
        <source>Getting {0}</source>
        <translation>{0} wird geholt</translation>
    </message>
    <message>
        <source>{0}, downloaded from {1}</source>
        <translation>{0}, heruntergeladen von {1}</translation>
    </message>
    <message>
        <source>In the folder of {0}</source>
        <translation>Im Ordner von {0}</translation>
    </message>
    <message>
        <source>Downloaded from {0}</source>
        <translation>Heruntergeladen von {0}</translation>
    </message>
    <message>
        <source>Came with Attune</source>
        <translation>Mit Attune geliefert</translation>
    </message>
    <message>
        <source>In the folder of another app</source>
        <translation>Im Ordner einer anderen App</translation>
    </message>
    <message>
        <source>Downloaded</source>
        <translation>Heruntergeladen</translation>
    </message>
    <message>
        <source>A file that you added</source>
        <translation>Eine hinzugefügte Datei</translation>
    </message>
    <message>
        <source>made for programming, answers other questions as well</source>
        <translation>fürs Programmieren gemacht, beantwortet auch anderes</translation>
    </message>
    <message>
        <source>Taking in {0}</source>
        <translation>{0} wird aufgenommen</translation>
    </message>
    <message>
        <source>Verifying {0}</source>
        <translation>{0} wird geprüft</translation>
    </message>
    <message>
        <source>beginning …</source>
        <translation>beginnt …</translation>
    </message>
    <message>
        <source>You can chat meanwhile.</source>
        <translation>Chatten geht währenddessen.</translation>
    </message>
    <message>
        <source>You can stop it and go on later, and chat meanwhile.</source>
        <translation>Das lässt sich anhalten und später fortsetzen; Chatten geht währenddessen.</translation>
    </message>
    <message>
        <source>{0} of {1}</source>
        <translation>{0} von {1}</translation>
    </message>
    <message>
        <source>{0} a second</source>
        <translation>{0} pro Sekunde</translation>
    </message>
    <message>
        <source>{0}, {1}</source>
        <translation>{0}, {1}</translation>
    </message>
    <message>
        <source>{0} is among your models.</source>
        <translation>{0} gehört zu den eigenen Modellen.</translation>
    </message>
    <message>
        <source>{0} is what it was: every byte was read and the hash is right.</source>
        <translation>{0} ist unverändert: Jedes Byte wurde gelesen, und die Prüfsumme stimmt.</translation>
    </message>
    <message>
        <source>It is done.</source>
        <translation>Fertig.</translation>
    </message>
    <message>
        <source>No connection was ever made.</source>
        <translation>Es wurde nie eine Verbindung hergestellt.</translation>
    </message>
    <message>
        <source>Connections ever made or tried: {0}. Together they brought {1}.</source>
        <translation>Verbindungen bisher, auch versuchte: {0}. Zusammen brachten sie {1}.</translation>
    </message>
    <message>
        <source>cut off</source>
        <translation>abgebrochen</translation>
    </message>
    <message>
        <source>done</source>
        <translation>fertig</translation>
    </message>
    <message numerus="yes">
        <source>Of {0} settings measured, %n is/are worth keeping.</source>
        <translation>
            <numerusform>Von {0} gemessenen Varianten lohnt sich eine.</numerusform>
            <numerusform>Von {0} gemessenen Varianten lohnen sich %n.</numerusform>
        </translation>
    </message>
    <message>
        <source>serves {0} of all tastes</source>
        <translation>passt zu {0} aller Geschmäcker</translation>
    </message>
    <message>
        <source>Not now: {0}</source>
        <translation>Nicht jetzt: {0}</translation>
    </message>
    <message>
        <source>Answers next: {0} — {1}.</source>
        <translation>Antwortet als Nächstes: {0} – {1}.</translation>
    </message>
    <message>
        <source>Your own preferences act instead of its.</source>
        <translation>Statt ihrer Vorlieben wirken die eigenen.</translation>
    </message>
    <message numerus="yes">
        <source>%n model(s)</source>
        <translation>
            <numerusform>ein Modell</numerusform>
            <numerusform>%n Modelle</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n setting(s)</source>
        <translation>
            <numerusform>eine Variante</numerusform>
            <numerusform>%n Varianten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln answer(s)</source>
        <translation>
            <numerusform>%Ln Antwort</numerusform>
            <numerusform>%Ln Antworten</numerusform>
        </translation>
    </message>
    <message>
        <source>{0}, all of which are there.</source>
        <translation>{0}, die alle schon da sind.</translation>
    </message>
    <message numerus="yes">
        <source>{0}, of which %Ln is/are there already.</source>
        <comment>answers</comment>
        <translation>
            <numerusform>{0}, davon ist %Ln schon da.</numerusform>
            <numerusform>{0}, davon sind %Ln schon da.</numerusform>
        </translation>
    </message>
    <message>
        <source>less than a minute left</source>
        <translation>noch weniger als eine Minute</translation>
    </message>
    <message numerus="yes">
        <source>about %n minute(s) left</source>
        <translation>
            <numerusform>noch etwa eine Minute</numerusform>
            <numerusform>noch etwa %n Minuten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about %n hour(s) left</source>
        <translation>
            <numerusform>noch etwa eine Stunde</numerusform>
            <numerusform>noch etwa %n Stunden</numerusform>
        </translation>
    </message>
    <message>
        <source>under 1 %</source>
        <translation>unter 1 %</translation>
    </message>
    <message>
        <source>Your data</source>
        <translation>Meine Daten</translation>
    </message>
    <message>
        <source>Erase everything that Attune keeps of you?</source>
        <translation>Alles löschen, was Attune aufbewahrt?</translation>
    </message>
    <message>
        <source>Erase everything</source>
        <translation>Alles löschen</translation>
    </message>
    <message>
        <source>Receipt</source>
        <translation>Beleg</translation>
    </message>
    <message>
        <source>{0} or {1}: {2}</source>
        <translation>{0} oder {1}: {2}</translation>
    </message>
    <message>
        <source>The base, before</source>
        <translation>Die Basis, vorher</translation>
    </message>
    <message>
        <source>This model: {0}</source>
        <translation>Dieses Modell: {0}</translation>
    </message>
    <message>
        <source>Each member by itself</source>
        <translation>Jedes Mitglied für sich</translation>
    </message>
    <message>
        <source>{0}, answers of {1}: {2} nats per token</source>
        <translation>{0}, Antworten von {1}: {2} Nat pro Token</translation>
    </message>
    <message>
        <source>{0}, sum: {2}</source>
        <translation>{0}, Summe: {2}</translation>
    </message>
    <message>
        <source>{0}, the best merge</source>
        <translation>{0}, die beste Zusammenführung</translation>
    </message>
    <message>
        <source>the member that was added</source>
        <translation>dem hinzugefügten Mitglied</translation>
    </message>
    <message>
        <source>Layer {0}</source>
        <translation>Schicht {0}</translation>
    </message>
    <message>
        <source>Layer {0}, {1}</source>
        <translation>Schicht {0}, {1}</translation>
    </message>
    <message>
        <source>{0}: there is none</source>
        <translation>{0}: nicht vorhanden</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Verify {0}</source>
        <translation>{0} prüfen</translation>
    </message>
    <message>
        <source>It answers now. Use another one first.</source>
        <translation>Es antwortet gerade. Bitte erst ein anderes verwenden.</translation>
    </message>
    <message>
        <source>Remove {0}</source>
        <translation>{0} entfernen</translation>
    </message>
    <message>
        <source>It is being loaded.</source>
        <translation>Es wird gerade geladen.</translation>
    </message>
    <message>
        <source>Use it</source>
        <translation>Verwenden</translation>
    </message>
    <message>
        <source>Use {0}</source>
        <translation>{0} verwenden</translation>
    </message>
    <message>
        <source>The file is not there</source>
        <translation>Die Datei ist nicht da</translation>
    </message>
    <message>
        <source>Is being loaded …</source>
        <translation>Wird geladen …</translation>
    </message>
    <message>
        <source>Answers now</source>
        <translation>Antwortet jetzt</translation>
    </message>
    <message>
        <source>Go on getting {0}, {1}</source>
        <translation>{0} weiter holen, {1}</translation>
    </message>
    <message>
        <source>Get {0}, {1}</source>
        <translation>{0} holen, {1}</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>Get it</source>
        <translation>Holen</translation>
    </message>
    <message>
        <source>On this computer</source>
        <translation>Auf diesem Computer</translation>
    </message>
    <message>
        <source>From {0}</source>
        <translation>Von {0}</translation>
    </message>
    <message>
        <source>Use it from there (nothing is copied)</source>
        <translation>Von dort verwenden (nichts wird kopiert)</translation>
    </message>
    <message>
        <source>Use {0} from there; nothing is copied</source>
        <translation>{0} von dort verwenden; nichts wird kopiert</translation>
    </message>
    <message>
        <source>One thing is done at a time.</source>
        <translation>Immer nur eines auf einmal.</translation>
    </message>
    <message>
        <source>Portfolio</source>
        <translation>Portfolio</translation>
    </message>
    <message>
        <source>Import profile</source>
        <translation>Profil importieren</translation>
    </message>
    <message>
        <source>Export what I learned</source>
        <translation>Gelerntes exportieren</translation>
    </message>
    <message>
        <source>Every spot of the triangle is a taste; each area is served best by the setting with its number.</source>
        <translation>Jeder Punkt des Dreiecks ist ein Geschmack; jede Fläche bedient die Variante mit ihrer Nummer am besten.</translation>
    </message>
    <message>
        <source>Each line is the taste that the setting with its number typically serves best; the dashed one is yours.</source>
        <translation>Jede Linie ist der Geschmack, den die Variante mit ihrer Nummer typischerweise am besten bedient; die gestrichelte ist der eigene.</translation>
    </message>
    <message>
        <source>Yours: {0}.</source>
        <translation>Der eigene: {0}.</translation>
    </message>
    <message>
        <source>Workshop</source>
        <translation>Werkstatt</translation>
    </message>
    <message>
        <source>you</source>
        <translation>hier</translation>
    </message>
    <message numerus="yes">
        <source>%n adapter(s)</source>
        <translation>
            <numerusform>ein Adapter</numerusform>
            <numerusform>%n Adapter</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n merged model(s)</source>
        <translation>
            <numerusform>ein zusammengeführtes Modell</numerusform>
            <numerusform>%n zusammengeführte Modelle</numerusform>
        </translation>
    </message>
    <message>
        <source>Nothing is made yet.</source>
        <translation>Noch ist nichts gemacht.</translation>
    </message>
    <message>
        <source>Made so far: {0}.</source>
        <translation>Bisher gemacht: {0}.</translation>
    </message>
    <message>
        <source>CALM: learns which weights to take</source>
        <translation>CALM: lernt, welche Gewichte zählen</translation>
    </message>
    <message>
        <source>Best of all methods</source>
        <translation>Die beste aller Methoden</translation>
    </message>
    <message>
        <source>Average</source>
        <translation>Mittelwert</translation>
    </message>
    <message>
        <source>Task arithmetic</source>
        <translation>Task Arithmetic</translation>
    </message>
    <message>
        <source>TIES</source>
        <translation>TIES</translation>
    </message>
    <message>
        <source>Random mask</source>
        <translation>Zufällige Maske</translation>
    </message>
    <message>
        <source>CALM</source>
        <translation>CALM</translation>
    </message>
    <message>
        <source>averaging</source>
        <translation>Mitteln</translation>
    </message>
    <message>
        <source>task arithmetic</source>
        <translation>Task Arithmetic</translation>
    </message>
    <message>
        <source>a random mask</source>
        <translation>eine zufällige Maske</translation>
    </message>
    <message>
        <source>{0}, {1} of each change</source>
        <translation>{0}, {1} jeder Änderung</translation>
    </message>
    <message>
        <source>Taught {0}</source>
        <translation>Hat gelernt: {0}</translation>
    </message>
    <message>
        <source>An adapter</source>
        <translation>Ein Adapter</translation>
    </message>
    <message numerus="yes">
        <source>Merged from %n by {0}</source>
        <comment>members</comment>
        <translation>
            <numerusform>Zusammengeführt aus %n durch: {0}</numerusform>
            <numerusform>Zusammengeführt aus %n durch: {0}</numerusform>
        </translation>
    </message>
    <message>
        <source>what it keeps of steering is not measured</source>
        <translation>was er von der Steuerung behält, ist nicht gemessen</translation>
    </message>
    <message>
        <source>steering itself changes nothing here, so there is nothing to keep</source>
        <translation>die Steuerung selbst ändert hier nichts, es ist also nichts zu behalten</translation>
    </message>
    <message>
        <source>does nothing of what steering does</source>
        <translation>bewirkt nichts von dem, was die Steuerung bewirkt</translation>
    </message>
    <message>
        <source>keeps {0} of what steering does</source>
        <translation>behält {0} von dem, was die Steuerung bewirkt</translation>
    </message>
    <message>
        <source>{0}, at {1} of its time per token</source>
        <translation>{0}, bei {1} ihrer Zeit pro Token</translation>
    </message>
    <message>
        <source>Made for {0}</source>
        <translation>Gemacht für {0}</translation>
    </message>
    <message>
        <source>Made from {0}</source>
        <translation>Gemacht aus {0}</translation>
    </message>
    <message>
        <source>{0} MB</source>
        <translation>{0} MB</translation>
    </message>
    <message>
        <source>All of what was learned is in the file.</source>
        <translation>Alles Gelernte ist in der Datei.</translation>
    </message>
    <message>
        <source>{0} of what was learned is in the file; the rest was lost to rounding.</source>
        <translation>{0} des Gelernten sind in der Datei; der Rest ging durch Rundung verloren.</translation>
    </message>
    <message>
        <source>under {0}</source>
        <translation>unter {0}</translation>
    </message>
    <message>
        <source>over {0}</source>
        <translation>über {0}</translation>
    </message>
    <message>
        <source>queries</source>
        <translation>Queries</translation>
    </message>
    <message>
        <source>keys</source>
        <translation>Keys</translation>
    </message>
    <message>
        <source>values</source>
        <translation>Values</translation>
    </message>
    <message>
        <source>attention</source>
        <translation>Attention</translation>
    </message>
    <message>
        <source>gate</source>
        <translation>Gate</translation>
    </message>
    <message>
        <source>up</source>
        <translation>Up</translation>
    </message>
    <message>
        <source>down</source>
        <translation>Down</translation>
    </message>
    <message>
        <source>Merged model, from {0}</source>
        <translation>Zusammengeführtes Modell, aus {0}</translation>
    </message>
    <message>
        <source>Adapter for {0}</source>
        <translation>Adapter für {0}</translation>
    </message>
    <message>
        <source>Adapter for {0}, taught {1}</source>
        <translation>Adapter für {0}, hat gelernt: {1}</translation>
    </message>
    <message>
        <source>Does not fit: {0}</source>
        <translation>Passt nicht: {0}</translation>
    </message>
    <message>
        <source>Fits, but: {0}</source>
        <translation>Passt, aber: {0}</translation>
    </message>
    <message>
        <source>Fits</source>
        <translation>Passt</translation>
    </message>
    <message>
        <source>Merge</source>
        <translation>Zusammenführen</translation>
    </message>
    <message numerus="yes">
        <source>Merge %n member(s)</source>
        <translation>
            <numerusform>%n Mitglied zusammenführen</numerusform>
            <numerusform>%n Mitglieder zusammenführen</numerusform>
        </translation>
    </message>
    <message>
        <source>Teaching {0}: {1}</source>
        <translation>{0} lernt: {1}</translation>
    </message>
    <message numerus="yes">
        <source>Merging %n member(s)</source>
        <translation>
            <numerusform>%n Mitglied wird zusammengeführt</numerusform>
            <numerusform>%n Mitglieder werden zusammengeführt</numerusform>
        </translation>
    </message>
    <message>
        <source>getting ready …</source>
        <translation>wird vorbereitet …</translation>
    </message>
    <message>
        <source>The merged model is made.</source>
        <translation>Das zusammengeführte Modell ist fertig.</translation>
    </message>
    <message>
        <source>The adapter for {0} is made.</source>
        <translation>Der Adapter ist fertig: {0}.</translation>
    </message>
    <message>
        <source>It {0}.</source>
        <translation>Er {0}.</translation>
    </message>
    <message>
        <source>{0}: connected to {1} for {2}. Received {3}, sent {4}. It ended: {5}.</source>
        <translation>{0}: verbunden mit {1} für {2}. Empfangen {3}, gesendet {4}. Ende: {5}.</translation>
    </message>
    <message>
        <source>A temporary folder is used: nothing of this is kept.</source>
        <translation>Ein vorübergehender Ordner wird verwendet: Nichts davon bleibt erhalten.</translation>
    </message>
    <message>
        <source>With a temporary folder you can chat, but nothing is kept when Attune closes.</source>
        <translation>Mit einem vorübergehenden Ordner ist Chatten möglich, aber beim Schließen bleibt nichts erhalten.</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>Choose another folder…</source>
        <translation>Anderen Ordner wählen…</translation>
    </message>
    <message>
        <source>Use a temporary folder</source>
        <translation>Vorübergehenden Ordner verwenden</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Choose a data folder for this run</source>
        <translation>Datenordner für diesen Start wählen</translation>
    </message>
    <message>
        <source>learns nothing</source>
        <translation>lernt nichts</translation>
    </message>
    <message>
        <source>learns here only</source>
        <translation>lernt nur hier</translation>
    </message>
    <message>
        <source>Votes in this chat teach every chat, and what was learned acts here.</source>
        <translation>Stimmen in diesem Chat gelten für alle Chats, und Gelerntes wirkt hier.</translation>
    </message>
    <message>
        <source>Votes in this chat count here only, and nothing learned elsewhere acts here.</source>
        <translation>Stimmen in diesem Chat zählen nur hier, und anderswo Gelerntes wirkt hier nicht.</translation>
    </message>
    <message>
        <source>Nothing is learned in this chat, and nothing that was learned acts here.</source>
        <translation>In diesem Chat wird nichts gelernt, und Gelerntes wirkt hier nicht.</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>Überall</translation>
    </message>
    <message>
        <source>That chat only</source>
        <translation>Nur dieser Chat</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>Nichts</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>Nie</translation>
    </message>
    <message>
        <source>Rarely (every 10th)</source>
        <translation>Selten (jede 10.)</translation>
    </message>
    <message>
        <source>Sometimes (every 3rd)</source>
        <translation>Manchmal (jede 3.)</translation>
    </message>
    <message>
        <source>Often (every question)</source>
        <translation>Oft (jede Frage)</translation>
    </message>
    <message>
        <source>A model is being loaded.</source>
        <translation>Ein Modell wird geladen.</translation>
    </message>
    <message>
        <source>No model is loaded.</source>
        <translation>Kein Modell ist geladen.</translation>
    </message>
    <message>
        <source>{0} runs on {1}, with room for {2} tokens.</source>
        <translation>{0} läuft auf {1}, mit Platz für {2} Token.</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>{0} tokens</source>
        <translation>{0} Token</translation>
    </message>
    <message>
        <source>Steady ({0})</source>
        <translation>Ruhig ({0})</translation>
    </message>
    <message>
        <source>Usual ({0})</source>
        <translation>Üblich ({0})</translation>
    </message>
    <message>
        <source>Lively ({0})</source>
        <translation>Lebhaft ({0})</translation>
    </message>
    <message>
        <source>Low keeps to likely words, high strays further. From the next answer on: {0}.</source>
        <translation>Niedrig bleibt bei wahrscheinlichen Wörtern, hoch schweift weiter ab. Ab der nächsten Antwort: {0}.</translation>
    </message>
    <message>
        <source>Short</source>
        <translation>Kurz</translation>
    </message>
    <message>
        <source>Usual</source>
        <translation>Üblich</translation>
    </message>
    <message>
        <source>Long</source>
        <translation>Lang</translation>
    </message>
    <message>
        <source>Longer</source>
        <translation>Länger</translation>
    </message>
    <message>
        <source>Longest</source>
        <translation>Am längsten</translation>
    </message>
    <message>
        <source>{0}, {1} tokens</source>
        <translation>{0}, {1} Token</translation>
    </message>
    <message>
        <source>Now {0} % of the system&apos;s.</source>
        <translation>Jetzt {0} % der Größe des Systems.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Of the window, from the next start.</source>
        <translation>Des Fensters, ab dem nächsten Start.</translation>
    </message>
    <message>
        <source>translation locale English Deutsch</source>
        <translation>Übersetzung Sprache Englisch Deutsch English language</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>Aussehen</translation>
    </message>
    <message>
        <source>Light or dark, or whichever the system has.</source>
        <translation>Hell oder dunkel, oder wie das System.</translation>
    </message>
    <message>
        <source>colours theme appearance night mode</source>
        <translation>Farben Thema Darstellung Nachtmodus</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>Textgröße</translation>
    </message>
    <message>
        <source>Of everything in the window.</source>
        <translation>Für alles im Fenster.</translation>
    </message>
    <message>
        <source>zoom font larger smaller scale</source>
        <translation>Zoom Schrift größer kleiner Skalierung</translation>
    </message>
    <message>
        <source>Send with</source>
        <translation>Senden mit</translation>
    </message>
    <message>
        <source>With Enter, Shift+Enter begins a new line; with Ctrl+Enter, Enter does.</source>
        <translation>Bei Eingabe beginnt Umschalt+Eingabe eine neue Zeile, bei Strg+Eingabe die Eingabetaste.</translation>
    </message>
    <message>
        <source>key keyboard return newline question</source>
        <translation>Taste Tastatur Eingabe Zeilenumbruch Frage</translation>
    </message>
    <message>
        <source>Two answers</source>
        <translation>Zwei Antworten</translation>
    </message>
    <message>
        <source>How often you are shown two answers to compare, at most.</source>
        <translation>Wie oft höchstens zwei Antworten zum Vergleich gezeigt werden.</translation>
    </message>
    <message>
        <source>votes comparison duel thumbs rate</source>
        <translation>Stimmen Vergleich Duell Daumen Häufigkeit</translation>
    </message>
    <message>
        <source>What a new chat&apos;s votes teach</source>
        <translation>Was Stimmen in neuen Chats lehren</translation>
    </message>
    <message>
        <source>For chats that you begin; the Learning menu changes it for one chat.</source>
        <translation>Für neue Chats; das Menü „Lernen“ ändert es für einen Chat.</translation>
    </message>
    <message>
        <source>scope learning private off memory</source>
        <translation>Reichweite lernen privat aus Gedächtnis</translation>
    </message>
    <message>
        <source>What runs now</source>
        <translation>Was jetzt läuft</translation>
    </message>
    <message>
        <source>model cpu gpu device speed</source>
        <translation>Modell CPU GPU Gerät Geschwindigkeit</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Threads</translation>
    </message>
    <message>
        <source>At most so many; the model is loaded again.</source>
        <translation>Höchstens so viele; das Modell wird neu geladen.</translation>
    </message>
    <message>
        <source>cpu cores processor speed performance</source>
        <translation>CPU Kerne Prozessor Geschwindigkeit Leistung</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>How much of a chat the model reads; more takes memory, and it loads again.</source>
        <translation>Wie viel eines Chats das Modell liest; mehr braucht Speicher, und es lädt neu.</translation>
    </message>
    <message>
        <source>tokens length window memory ram</source>
        <translation>Token Länge Fenster Speicher RAM</translation>
    </message>
    <message>
        <source>Graphics card</source>
        <translation>Grafikkarte</translation>
    </message>
    <message>
        <source>Used where that works; the model is loaded again.</source>
        <translation>Wird genutzt, wo das geht; das Modell wird neu geladen.</translation>
    </message>
    <message>
        <source>gpu layers vulkan cuda metal cpu only</source>
        <translation>GPU Schichten Vulkan CUDA Metal nur CPU</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>Netzwerk</translation>
    </message>
    <message>
        <source>Offline, Attune&apos;s download program is never started; all else works.</source>
        <translation>Offline wird das Ladeprogramm von Attune nie gestartet; alles andere geht.</translation>
    </message>
    <message>
        <source>internet connection privacy models get</source>
        <translation>Internet Verbindung Privatsphäre Modelle holen offline</translation>
    </message>
    <message>
        <source>Data folder</source>
        <translation>Datenordner</translation>
    </message>
    <message>
        <source>files path location storage backup</source>
        <translation>Dateien Pfad Ort Speicher Sicherung</translation>
    </message>
    <message>
        <source>How freely words are chosen</source>
        <translation>Wie frei Wörter gewählt werden</translation>
    </message>
    <message>
        <source>temperature sampling random creative steady lively</source>
        <translation>Temperatur Sampling Zufall kreativ ruhig lebhaft</translation>
    </message>
    <message>
        <source>Length of an answer</source>
        <translation>Länge einer Antwort</translation>
    </message>
    <message>
        <source>It ends after so many tokens; four are about three words.</source>
        <translation>Sie endet nach so vielen Token; vier sind etwa drei Wörter.</translation>
    </message>
    <message>
        <source>max tokens limit maximum long short</source>
        <translation>Max Token Grenze Maximum lang kurz</translation>
    </message>
    <message>
        <source>As at first</source>
        <translation>Wie am Anfang</translation>
    </message>
    <message>
        <source>All of these settings but the network; what was said and learned stays.</source>
        <translation>Alle diese Einstellungen außer dem Netzwerk; Gesagtes und Gelerntes bleibt.</translation>
    </message>
    <message>
        <source>reset defaults restore factory</source>
        <translation>zurücksetzen Standard wiederherstellen Werkseinstellungen</translation>
    </message>
    <message>
        <source>Copied: versions, the system, the log. No texts of yours.</source>
        <translation>Kopiert: Versionen, System, Protokoll. Keine eigenen Texte.</translation>
    </message>
    <message>
        <source>The log is in {0}.</source>
        <translation>Das Protokoll liegt in {0}.</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Antwort</translation>
    </message>
    <message>
        <source>{0}, not finished</source>
        <translation>{0}, nicht fertig</translation>
    </message>
    <message>
        <source>Page {0} of {1}</source>
        <translation>Seite {0} von {1}</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>Angehalten.</translation>
    </message>
    <message>
        <source>Ended at the longest answer allowed.</source>
        <translation>Bei der größten erlaubten Länge beendet.</translation>
    </message>
    <message>
        <source>Ended because the context is full.</source>
        <translation>Beendet, weil der Kontext voll ist.</translation>
    </message>
</context>
<context>
    <name>About</name>
    <message>
        <source>About Attune</source>
        <translation>Über Attune</translation>
    </message>
    <message>
        <source>Answers with a model on this computer, steered to how you like to be answered.

Qt {0}, used under the LGPL · Python {1}
Apache License 2.0</source>
        <translation>Antwortet mit einem Modell auf diesem Computer, und zwar so, wie es gefällt.

Qt {0}, verwendet unter der LGPL · Python {1}
Apache-Lizenz 2.0</translation>
    </message>
</context>
<context>
    <name>Adding</name>
    <message>
        <source>Add a file…</source>
        <translation>Datei hinzufügen…</translation>
    </message>
    <message>
        <source>Add a model from a file</source>
        <translation>Ein Modell aus einer Datei hinzufügen</translation>
    </message>
    <message>
        <source>How far the file is read</source>
        <translation>Wie weit die Datei gelesen ist</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Stop adding the file</source>
        <translation>Hinzufügen der Datei anhalten</translation>
    </message>
    <message>
        <source>Nothing is added then</source>
        <translation>Dann wird nichts hinzugefügt</translation>
    </message>
</context>
<context>
    <name>Alongside</name>
    <message>
        <source>Your models are measured. {0}</source>
        <translation>Die Modelle sind gemessen. {0}</translation>
    </message>
</context>
<context>
    <name>Asking</name>
    <message>
        <source>This chat is kept no more. {0}</source>
        <translation>Dieser Chat wird nicht mehr aufbewahrt. {0}</translation>
    </message>
    <message>
        <source>The answer ended early.</source>
        <translation>Die Antwort endete vorzeitig.</translation>
    </message>
</context>
<context>
    <name>Browsing</name>
    <message>
        <source>Nothing found.</source>
        <translation>Nichts gefunden.</translation>
    </message>
    <message>
        <source>What you ask is kept here, on this computer.</source>
        <translation>Was gefragt wird, bleibt hier, auf diesem Computer.</translation>
    </message>
    <message>
        <source>{0} is open.</source>
        <translation>{0} ist offen.</translation>
    </message>
    <message>
        <source>You are changing a question. The chat as it was stays beside it.</source>
        <translation>Eine Frage wird geändert. Der bisherige Chat bleibt daneben erhalten.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Leave the question as it was</source>
        <translation>Die Frage lassen, wie sie war</translation>
    </message>
    <message>
        <source>Private: nothing of this chat is kept, and nothing is learned from it. It is gone when you leave it.</source>
        <translation>Privat: Von diesem Chat wird nichts aufbewahrt und nichts gelernt. Beim Verlassen ist er weg.</translation>
    </message>
    <message>
        <source>This chat is kept no more, and is gone when you leave it.</source>
        <translation>Dieser Chat wird nicht mehr aufbewahrt und ist beim Verlassen weg.</translation>
    </message>
    <message>
        <source>Bring back {0}</source>
        <translation>{0} zurückholen</translation>
    </message>
    <message>
        <source>Deleted.</source>
        <translation>Gelöscht.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>{0} is deleted.</source>
        <translation>{0} ist gelöscht.</translation>
    </message>
    <message>
        <source>What can be done with {0}</source>
        <translation>Was mit {0} möglich ist</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>Lösen</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>Anheften</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Umbenennen…</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren…</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
</context>
<context>
    <name>ChatModel</name>
    <message>
        <source>open now</source>
        <translation>jetzt offen</translation>
    </message>
</context>
<context>
    <name>ChatSide</name>
    <message>
        <source>Chats</source>
        <translation>Chats</translation>
    </message>
</context>
<context>
    <name>Chats</name>
    <message>
        <source>“{0}” is back.</source>
        <translation>„{0}“ ist zurück.</translation>
    </message>
    <message>
        <source>“{0}” is erased.</source>
        <translation>„{0}“ ist gelöscht.</translation>
    </message>
</context>
<context>
    <name>Chips</name>
    <message>
        <source>+ preference</source>
        <translation>+ Vorliebe</translation>
    </message>
    <message>
        <source>Add a preference</source>
        <translation>Vorliebe hinzufügen</translation>
    </message>
    <message>
        <source>concise, warm, for a child</source>
        <translation>concise, warm oder ein ganzer Satz</translation>
    </message>
    <message>
        <source>New preference</source>
        <translation>Neue Vorliebe</translation>
    </message>
    <message>
        <source>concise|detailed|simple words|formal|friendly|creative|step by step</source>
        <translation>concise|detailed|simple words|formal|friendly|creative|step by step</translation>
    </message>
    <message>
        <source>Suggested preferences</source>
        <translation>Vorgeschlagene Vorlieben</translation>
    </message>
    <message>
        <source>Remove the preference {0}</source>
        <translation>Die Vorliebe {0} entfernen</translation>
    </message>
    <message>
        <source>Remove “{0}” (Alt+{1})</source>
        <translation>„{0}“ entfernen (Alt+{1})</translation>
    </message>
</context>
<context>
    <name>Choosing</name>
    <message>
        <source>{0} answers next. Attune learns from your choice.</source>
        <translation>{0} antwortet als Nächstes. Attune lernt aus der Wahl.</translation>
    </message>
    <message>
        <source>It will be measured, too.</source>
        <translation>Sie wird mitgemessen.</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Your question</source>
        <translation>Die Frage</translation>
    </message>
    <message>
        <source>Enter sends, Shift+Enter begins a line</source>
        <translation>Eingabe sendet, Umschalt+Eingabe beginnt eine Zeile</translation>
    </message>
    <message>
        <source>Ctrl+Enter sends, Enter begins a line</source>
        <translation>Strg+Eingabe sendet, Eingabe beginnt eine Zeile</translation>
    </message>
    <message>
        <source>Ask anything</source>
        <translation>Fragen Sie etwas</translation>
    </message>
</context>
<context>
    <name>Connections</name>
    <message>
        <source>Reading which connections were made …</source>
        <translation>Verbindungen werden gelesen …</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Wann</translation>
    </message>
    <message>
        <source>What for</source>
        <translation>Wofür</translation>
    </message>
    <message>
        <source>How it ended</source>
        <translation>Ende</translation>
    </message>
    <message>
        <source>Received</source>
        <translation>Empfangen</translation>
    </message>
    <message>
        <source>Connected to</source>
        <translation>Verbunden mit</translation>
    </message>
    <message>
        <source>Every connection, the newest first</source>
        <translation>Alle Verbindungen, die neueste zuerst</translation>
    </message>
</context>
<context>
    <name>DataPage</name>
    <message>
        <source>What is kept</source>
        <translation>Was aufbewahrt wird</translation>
    </message>
    <message>
        <source>Open the folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Export everything…</source>
        <translation>Alles exportieren…</translation>
    </message>
    <message>
        <source>Restore…</source>
        <translation>Wiederherstellen…</translation>
    </message>
    <message>
        <source>Check now</source>
        <translation>Jetzt prüfen</translation>
    </message>
    <message>
        <source>Erase everything…</source>
        <translation>Alles löschen…</translation>
    </message>
    <message>
        <source>Once a day chats and votes are copied and the copies checked; of the newest days, weeks and months one each stays.</source>
        <translation>Einmal am Tag werden Chats und Stimmen kopiert und die Kopien geprüft; von den letzten Tagen, Wochen und Monaten bleibt je eine.</translation>
    </message>
    <message>
        <source>There are no copies yet.</source>
        <translation>Es gibt noch keine Kopien.</translation>
    </message>
    <message>
        <source>The folder cannot be opened. It is {0}</source>
        <translation>Der Ordner lässt sich nicht öffnen. Es ist {0}</translation>
    </message>
    <message>
        <source>Attune is measuring, making or getting a model. Cancel that first, then erase.</source>
        <translation>Attune misst, macht oder holt gerade ein Modell. Bitte erst abbrechen, dann löschen.</translation>
    </message>
    <message>
        <source>Every file that Attune made in the folder, for good. You get a receipt that names each of them, and what stays.</source>
        <translation>Jede Datei, die Attune in dem Ordner angelegt hat, endgültig. Ein Beleg nennt sie alle, und was bleibt.</translation>
    </message>
    <message>
        <source>Copies, the newest first</source>
        <translation>Kopien, die neueste zuerst</translation>
    </message>
    <message>
        <source>Copies</source>
        <translation>Kopien</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>Netzwerk</translation>
    </message>
    <message>
        <source>Erase everything</source>
        <translation>Alles löschen</translation>
    </message>
</context>
<context>
    <name>Desk</name>
    <message>
        <source>An answer is being written; this comes after it.</source>
        <translation>Gerade wird eine Antwort geschrieben; danach steht es hier.</translation>
    </message>
    <message>
        <source>Reading …</source>
        <translation>Wird gelesen …</translation>
    </message>
    <message>
        <source>You chose a model, so Attune no longer chooses for you.</source>
        <translation>Ein Modell wurde gewählt, deshalb wählt Attune nicht mehr selbst.</translation>
    </message>
</context>
<context>
    <name>Drawer</name>
    <message>
        <source>{0} — hide</source>
        <translation>{0} – ausblenden</translation>
    </message>
    <message>
        <source>{0} — show</source>
        <translation>{0} – anzeigen</translation>
    </message>
</context>
<context>
    <name>EntryRow</name>
    <message>
        <source>How far it is with {0}</source>
        <translation>Wie weit es mit {0} ist</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Stop: {0}</source>
        <translation>Stopp: {0}</translation>
    </message>
    <message>
        <source>What came so far is kept</source>
        <translation>Was schon da ist, bleibt erhalten</translation>
    </message>
</context>
<context>
    <name>EraseEverything</name>
    <message>
        <source>Chats, votes, what was learned, measured answers, adapters and models made here, settings, and all copies. There is no way back. Your model files stay where they are.</source>
        <translation>Chats, Stimmen, Gelerntes, gemessene Antworten, hier gemachte Adapter und Modelle, Einstellungen und alle Kopien. Es gibt kein Zurück. Die eigenen Modelldateien bleiben, wo sie sind.</translation>
    </message>
    <message>
        <source>erase</source>
        <translation>löschen</translation>
    </message>
    <message>
        <source>Type “{0}” to go on:</source>
        <translation>Zum Fortfahren „{0}“ eingeben:</translation>
    </message>
    <message>
        <source>Erase everything</source>
        <translation>Alles löschen</translation>
    </message>
</context>
<context>
    <name>ExportProfile</name>
    <message>
        <source>A small file with your votes as numbers, your traits and your preferences. It works on another computer, and with another model.</source>
        <translation>Eine kleine Datei mit den Stimmen als Zahlen, den Merkmalen und Vorlieben. Sie funktioniert auf einem anderen Computer und mit einem anderen Modell.</translation>
    </message>
    <message>
        <source>With the questions and answers of my votes</source>
        <translation>Mit den Fragen und Antworten zu meinen Stimmen</translation>
    </message>
    <message>
        <source>Choose a place…</source>
        <translation>Ort wählen…</translation>
    </message>
</context>
<context>
    <name>FindLine</name>
    <message>
        <source>Previous</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Previous place</source>
        <translation>Vorige Stelle</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>Next place</source>
        <translation>Nächste Stelle</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close the search</source>
        <translation>Suche schließen</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>{0} of {1}</source>
        <translation>{0} von {1}</translation>
    </message>
    <message>
        <source>{0} of {1} or more</source>
        <translation>{0} von {1} oder mehr</translation>
    </message>
    <message>
        <source>Find in this chat</source>
        <translation>In diesem Chat suchen</translation>
    </message>
</context>
<context>
    <name>Finding</name>
    <message>
        <source>{0}: {1}</source>
        <translation>{0}: {1}</translation>
    </message>
</context>
<context>
    <name>Fold</name>
    <message>
        <source>{0} — hide</source>
        <translation>{0} – ausblenden</translation>
    </message>
    <message>
        <source>{0} — show</source>
        <translation>{0} – anzeigen</translation>
    </message>
</context>
<context>
    <name>Foreseeing</name>
    <message>
        <source>This question is longer than what the model can read. Shorten it.</source>
        <translation>Diese Frage ist länger, als das Modell lesen kann. Bitte kürzen.</translation>
    </message>
    <message>
        <source>too long for the model</source>
        <translation>zu lang für das Modell</translation>
    </message>
    <message numerus="yes">
        <source>With this question the chat is longer than what the model can read: of its oldest messages about %n will be left out. They stay here for you.</source>
        <translation>
            <numerusform>Mit dieser Frage ist der Chat länger, als das Modell lesen kann: Etwa eine der ältesten Nachrichten wird weggelassen. Hier bleibt sie erhalten.</numerusform>
            <numerusform>Mit dieser Frage ist der Chat länger, als das Modell lesen kann: Etwa %n der ältesten Nachrichten werden weggelassen. Hier bleiben sie erhalten.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>drops the oldest %n message(s)</source>
        <translation>
            <numerusform>lässt die älteste Nachricht weg</numerusform>
            <numerusform>lässt die ältesten %n Nachrichten weg</numerusform>
        </translation>
    </message>
    <message>
        <source>This question leaves about {0} % of what the model can read at once.</source>
        <translation>Diese Frage lässt etwa {0} % dessen frei, was das Modell auf einmal lesen kann.</translation>
    </message>
    <message>
        <source>leaves about {0} % of the room</source>
        <translation>lässt etwa {0} % frei</translation>
    </message>
</context>
<context>
    <name>Guide</name>
    <message>
        <source>Now and then Attune writes two answers, and a thumb says which one is better. From that it learns how you like to be answered.</source>
        <translation>Ab und zu schreibt Attune zwei Antworten, und ein Daumen sagt, welche besser ist. Daraus lernt es, welche Antworten gefallen.</translation>
    </message>
    <message>
        <source>Show me two answers to this</source>
        <translation>Zwei Antworten darauf zeigen</translation>
    </message>
    <message>
        <source>The next answer is written that way already.</source>
        <translation>Die nächste Antwort wird schon so geschrieben.</translation>
    </message>
    <message>
        <source>Same question again?</source>
        <translation>Dieselbe Frage noch einmal?</translation>
    </message>
</context>
<context>
    <name>Habits</name>
    <message>
        <source>Neutral: the untouched model answers</source>
        <translation>Neutral: Das unveränderte Modell antwortet</translation>
    </message>
    <message>
        <source>Keep questions and answers with votes</source>
        <translation>Fragen und Antworten zu Stimmen aufbewahren</translation>
    </message>
    <message>
        <source>How often two answers</source>
        <translation>Wie oft zwei Antworten</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Erase kept texts</source>
        <translation>Aufbewahrte Texte löschen</translation>
    </message>
    <message>
        <source>Start over</source>
        <translation>Neu beginnen</translation>
    </message>
    <message>
        <source>Add a trait in your own words</source>
        <translation>Ein Merkmal in eigenen Worten</translation>
    </message>
    <message>
        <source>Not asked about</source>
        <translation>Nicht gefragt</translation>
    </message>
    <message>
        <source>No vote so far will count any more. Undo brings them back.</source>
        <translation>Keine bisherige Stimme zählt dann mehr. „Rückgängig“ holt sie zurück.</translation>
    </message>
    <message>
        <source>Ask about “{0}” again</source>
        <translation>Wieder nach „{0}“ fragen</translation>
    </message>
    <message>
        <source>Add this trait</source>
        <translation>Dieses Merkmal hinzufügen</translation>
    </message>
    <message>
        <source>Begin with the answer, then explain.</source>
        <translation>Am besten englisch: Begin with the answer, then explain.</translation>
    </message>
    <message>
        <source>A trait in your own words</source>
        <translation>Ein Merkmal in eigenen Worten</translation>
    </message>
    <message>
        <source>Then you can read above what a vote was about. They stay on this computer; while this is off, only numbers about new answers are kept, and earlier texts stay until they are erased.</source>
        <translation>Dann ist oben zu lesen, worum es bei einer Stimme ging. Die Texte bleiben auf diesem Computer; ist das aus, werden von neuen Antworten nur Zahlen aufbewahrt, und frühere Texte bleiben, bis sie gelöscht werden.</translation>
    </message>
</context>
<context>
    <name>Hearing</name>
    <message>
        <source>Both answers are ready. {0} says A, {1} says B; {2} if A is better, {3} if B is.</source>
        <translation>Beide Antworten sind fertig. {0} liest A vor, {1} liest B vor; {2}, wenn A besser ist, {3}, wenn B besser ist.</translation>
    </message>
    <message>
        <source>The answer is finished. {0}</source>
        <translation>Die Antwort ist fertig. {0}</translation>
    </message>
    <message>
        <source>Answer {0}. {1}</source>
        <translation>Antwort {0}. {1}</translation>
    </message>
</context>
<context>
    <name>ImportPreview</name>
    <message>
        <source>Add to what is here</source>
        <translation>Zum Vorhandenen hinzufügen</translation>
    </message>
    <message>
        <source>Replace what is here</source>
        <translation>Das Vorhandene ersetzen</translation>
    </message>
    <message>
        <source>How to take it in</source>
        <translation>Wie es übernommen wird</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Was</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>Jetzt</translation>
    </message>
    <message>
        <source>Then</source>
        <translation>Danach</translation>
    </message>
    <message>
        <source>What changes</source>
        <translation>Was sich ändert</translation>
    </message>
    <message>
        <source>There is nothing in it that is not here already.</source>
        <translation>Es enthält nichts, was nicht schon hier ist.</translation>
    </message>
    <message>
        <source>What is not shown stays nearly as it is. You can undo it afterwards.</source>
        <translation>Was nicht gezeigt wird, bleibt fast unverändert. Es lässt sich danach rückgängig machen.</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>Ersetzen</translation>
    </message>
    <message>
        <source>Merge</source>
        <translation>Zusammenführen</translation>
    </message>
</context>
<context>
    <name>LastEnd</name>
    <message>
        <source>The last run ended badly</source>
        <translation>Der letzte Lauf endete nicht gut</translation>
    </message>
    <message>
        <source>In safe mode the starter model answers, on the processor alone, nothing is steered, and the usual settings act, for this run. Your own stay as they are, and so do chats and votes.</source>
        <translation>Im abgesicherten Modus antwortet das Startmodell, nur auf dem Prozessor, ungesteuert und mit den üblichen Einstellungen, nur für diesen Lauf. Die eigenen bleiben, wie sie sind, ebenso Chats und Stimmen.</translation>
    </message>
    <message>
        <source>Go on in safe mode</source>
        <translation>Abgesichert weitermachen</translation>
    </message>
    <message>
        <source>Go on as ever</source>
        <translation>Wie immer weitermachen</translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation>Diagnose kopieren</translation>
    </message>
    <message>
        <source>Open the log folder</source>
        <translation>Protokollordner öffnen</translation>
    </message>
    <message>
        <source>Attune stopped while it loaded {0}.</source>
        <translation>Attune endete, während es {0} lud.</translation>
    </message>
    <message>
        <source>Attune stopped while it loaded {0} with {1}.</source>
        <translation>Attune endete, während es {0} mit {1} lud.</translation>
    </message>
    <message>
        <source>Attune stopped while it tried which settings work on this computer.</source>
        <translation>Attune endete, während es ausprobierte, was auf diesem Computer läuft.</translation>
    </message>
    <message>
        <source>Attune crashed ({0}).</source>
        <translation>Attune ist abgestürzt ({0}).</translation>
    </message>
    <message>
        <source>Attune stopped while its window was open.</source>
        <translation>Attune endete, während sein Fenster offen war.</translation>
    </message>
</context>
<context>
    <name>Leaf</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
</context>
<context>
    <name>LearnedPage</name>
    <message>
        <source>Reading …</source>
        <translation>Wird gelesen …</translation>
    </message>
    <message>
        <source>The neural learner has no traits that could be read: it knows as a whole what you like. Votes given while it learns say nothing about single traits later on.</source>
        <translation>Das neuronale Verfahren hat keine lesbaren Merkmale: Es weiß im Ganzen, was gefällt. Stimmen aus dieser Zeit sagen später nichts über einzelne Merkmale.</translation>
    </message>
    <message>
        <source>No trait is asked about. Add one in your own words below.</source>
        <translation>Nach keinem Merkmal wird gefragt. Unten lässt sich eines in eigenen Worten hinzufügen.</translation>
    </message>
    <message>
        <source>Now and then Attune writes two answers that differ in one of these traits. Say which you like better: its dot moves towards your side, and the line around it gets shorter as Attune gets surer. Every vote can be read and deleted here.</source>
        <translation>Ab und zu schreibt Attune zwei Antworten, die sich in einem dieser Merkmale unterscheiden. Wählen Sie die bessere: Der Punkt rückt auf Ihre Seite, und die Linie um ihn wird kürzer, je sicherer Attune ist. Jede Stimme lässt sich hier lesen und löschen.</translation>
    </message>
    <message>
        <source>A dot lies on the side that you like; the line is where it surely is: the shorter, the surer. Filled dots steer your answers.</source>
        <translation>Ein Punkt liegt auf der Seite, die besser gefällt; die Linie zeigt, wo er sicher liegt: je kürzer, desto sicherer. Gefüllte Punkte steuern die Antworten.</translation>
    </message>
    <message>
        <source>Taken back: {0}.</source>
        <translation>Zurückgenommen: {0}.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
</context>
<context>
    <name>Learning</name>
    <message>
        <source>Something was changed after this vote, so it was not taken back.</source>
        <translation>Nach dieser Stimme wurde etwas geändert, deshalb wurde sie nicht zurückgenommen.</translation>
    </message>
    <message>
        <source>The vote is deleted.</source>
        <translation>Die Stimme ist gelöscht.</translation>
    </message>
    <message>
        <source>Earlier votes say nothing about “{0}” any more.</source>
        <translation>Frühere Stimmen sagen nichts mehr über „{0}“.</translation>
    </message>
    <message>
        <source>Attune asks no more about “{0}”, and no longer steers by it.</source>
        <translation>Attune fragt nicht mehr nach „{0}“ und steuert nicht mehr danach.</translation>
    </message>
    <message>
        <source>Attune asks about “{0}” again.</source>
        <translation>Attune fragt wieder nach „{0}“.</translation>
    </message>
    <message>
        <source>Attune will ask about “{0}”, too.</source>
        <translation>Attune fragt nun auch nach „{0}“.</translation>
    </message>
    <message>
        <source>Started over: no vote counts any more.</source>
        <translation>Neu begonnen: Keine Stimme zählt mehr.</translation>
    </message>
    <message>
        <source>The kept questions and answers are erased; the votes stay.</source>
        <translation>Die aufbewahrten Fragen und Antworten sind gelöscht; die Stimmen bleiben.</translation>
    </message>
</context>
<context>
    <name>Library</name>
    <message>
        <source>{0} is deleted.</source>
        <translation>{0} ist gelöscht.</translation>
    </message>
    <message>
        <source>{0} is off the list.</source>
        <translation>{0} ist nicht mehr auf der Liste.</translation>
    </message>
</context>
<context>
    <name>Links</name>
    <message>
        <source>Open in the browser?</source>
        <translation>Im Browser öffnen?</translation>
    </message>
    <message>
        <source>This link was written by the model. It leads to:</source>
        <translation>Diesen Link hat das Modell geschrieben. Er führt zu:</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
</context>
<context>
    <name>Loading</name>
    <message>
        <source>No model is loaded. Choose one, or just ask to try again.</source>
        <translation>Kein Modell ist geladen. Bitte eines wählen oder einfach noch einmal fragen.</translation>
    </message>
</context>
<context>
    <name>MadeCard</name>
    <message>
        <source>What was said while it was made</source>
        <translation>Was beim Machen gesagt wurde</translation>
    </message>
    <message>
        <source>Its members</source>
        <translation>Die Mitglieder</translation>
    </message>
    <message>
        <source>How well it keeps them</source>
        <translation>Wie gut es sie erhält</translation>
    </message>
    <message>
        <source>Sum</source>
        <translation>Summe</translation>
    </message>
    <message>
        <source>How well each model keeps each member</source>
        <translation>Wie gut jedes Modell jedes Mitglied erhält</translation>
    </message>
    <message>
        <source>{0} keeps the members best.</source>
        <translation>{0} erhält die Mitglieder am besten.</translation>
    </message>
    <message>
        <source>How unlikely each model finds the members&apos; own answers, in nats per token: the smaller, the better it keeps that member. A dot marks the best merge for each.</source>
        <translation>Wie unwahrscheinlich jedes Modell die Antworten der Mitglieder findet, in Nat pro Token: je kleiner, desto besser bleibt das Mitglied erhalten. Ein Punkt markiert die jeweils beste Zusammenführung.</translation>
    </message>
    <message>
        <source>{0} of the weights were taken from {1}</source>
        <translation>{0} der Gewichte stammen von {1}</translation>
    </message>
    <message>
        <source>Picture of where: layers from top to bottom, matrices from left to right</source>
        <translation>Bild davon, wo: Schichten von oben nach unten, Matrizen von links nach rechts</translation>
    </message>
    <message>
        <source>Each row is a layer, each column a kind of matrix; point at one to read it.</source>
        <translation>Jede Zeile ist eine Schicht, jede Spalte eine Art Matrix; zum Lesen auf ein Feld zeigen.</translation>
    </message>
</context>
<context>
    <name>MadeList</name>
    <message>
        <source>Made here</source>
        <translation>Hier gemacht</translation>
    </message>
</context>
<context>
    <name>MadeRow</name>
    <message>
        <source>Add to my models</source>
        <translation>Zu meinen Modellen</translation>
    </message>
    <message>
        <source>Take out of my models</source>
        <translation>Aus meinen Modellen nehmen</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>Im Ordner zeigen</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>In your models</source>
        <translation>In den eigenen Modellen</translation>
    </message>
    <message>
        <source>Add {0} to my models</source>
        <translation>{0} zu meinen Modellen hinzufügen</translation>
    </message>
    <message>
        <source>Take {0} out of my models</source>
        <translation>{0} aus meinen Modellen nehmen</translation>
    </message>
    <message>
        <source>Show {0} in its folder</source>
        <translation>{0} im Ordner zeigen</translation>
    </message>
    <message>
        <source>Remove {0}</source>
        <translation>{0} entfernen</translation>
    </message>
    <message>
        <source>What came of it</source>
        <translation>Was dabei herauskam</translation>
    </message>
    <message>
        <source>{0}: what came of it</source>
        <translation>{0}: was dabei herauskam</translation>
    </message>
</context>
<context>
    <name>Matters</name>
    <message>
        <source>Leave it to my votes</source>
        <translation>Den Stimmen überlassen</translation>
    </message>
    <message>
        <source>How much {0} matters</source>
        <translation>Wie wichtig: {0}</translation>
    </message>
    <message>
        <source>hardly at all</source>
        <translation>kaum</translation>
    </message>
    <message>
        <source>less</source>
        <translation>weniger</translation>
    </message>
    <message>
        <source>much less</source>
        <translation>viel weniger</translation>
    </message>
    <message>
        <source>more</source>
        <translation>mehr</translation>
    </message>
    <message>
        <source>much more</source>
        <translation>viel mehr</translation>
    </message>
    <message>
        <source>as my votes say</source>
        <translation>nach Stimmen</translation>
    </message>
</context>
<context>
    <name>MemberList</name>
    <message>
        <source>Settings worth keeping</source>
        <translation>Lohnende Varianten</translation>
    </message>
</context>
<context>
    <name>MemberRow</name>
    <message>
        <source>Answers next</source>
        <translation>Antwortet als Nächstes</translation>
    </message>
    <message>
        <source>Use this one</source>
        <translation>Diese verwenden</translation>
    </message>
    <message>
        <source>Use {0}</source>
        <translation>{0} verwenden</translation>
    </message>
</context>
<context>
    <name>Mending</name>
    <message>
        <source>The file of the model that you chose was moved or deleted.</source>
        <translation>Die Datei des gewählten Modells wurde verschoben oder gelöscht.</translation>
    </message>
    <message>
        <source>Find the file…</source>
        <translation>Datei suchen…</translation>
    </message>
    <message>
        <source>Use the starter model</source>
        <translation>Startmodell verwenden</translation>
    </message>
    <message>
        <source>Safe mode – Attune</source>
        <translation>Abgesicherter Modus – Attune</translation>
    </message>
    <message>
        <source>Safe mode: the starter model answers on the processor alone, nothing is steered, and the usual settings act. Start Attune again to have your own back.</source>
        <translation>Abgesicherter Modus: Das Startmodell antwortet nur auf dem Prozessor, ungesteuert und mit den üblichen Einstellungen. Nach einem Neustart gelten wieder die eigenen.</translation>
    </message>
</context>
<context>
    <name>Menus</name>
    <message>
        <source>Unp&amp;in</source>
        <translation>Nicht mehr anhe&amp;ften</translation>
    </message>
    <message>
        <source>P&amp;in</source>
        <translation>Anhe&amp;ften</translation>
    </message>
    <message>
        <source>Remove “{0}”</source>
        <translation>„{0}“ entfernen</translation>
    </message>
    <message>
        <source>&amp;Chat</source>
        <translation>&amp;Chat</translation>
    </message>
    <message>
        <source>&amp;New chat</source>
        <translation>&amp;Neuer Chat</translation>
    </message>
    <message>
        <source>New &amp;private chat</source>
        <translation>Neuer &amp;privater Chat</translation>
    </message>
    <message>
        <source>Search &amp;all chats…</source>
        <translation>&amp;Alle Chats durchsuchen…</translation>
    </message>
    <message>
        <source>&amp;Find in this chat…</source>
        <translation>In &amp;diesem Chat suchen…</translation>
    </message>
    <message>
        <source>Find next</source>
        <translation>Weitersuchen</translation>
    </message>
    <message>
        <source>Find previous</source>
        <translation>Rückwärts suchen</translation>
    </message>
    <message>
        <source>Ne&amp;xt chat</source>
        <translation>Nä&amp;chster Chat</translation>
    </message>
    <message>
        <source>Pre&amp;vious chat</source>
        <translation>&amp;Voriger Chat</translation>
    </message>
    <message>
        <source>&amp;Send</source>
        <translation>&amp;Senden</translation>
    </message>
    <message>
        <source>S&amp;top</source>
        <translation>S&amp;topp</translation>
    </message>
    <message>
        <source>&amp;Regenerate</source>
        <translation>Neu ant&amp;worten</translation>
    </message>
    <message>
        <source>&amp;Copy last answer</source>
        <translation>Letzte Antwort &amp;kopieren</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>&amp;Edit last question</source>
        <translation>Letzte Frage bea&amp;rbeiten</translation>
    </message>
    <message>
        <source>Edit question</source>
        <translation>Frage bearbeiten</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>Rena&amp;me…</source>
        <translation>&amp;Umbenennen…</translation>
    </message>
    <message>
        <source>Exp&amp;ort…</source>
        <translation>E&amp;xportieren…</translation>
    </message>
    <message>
        <source>&amp;Delete</source>
        <translation>&amp;Löschen</translation>
    </message>
    <message>
        <source>Export all chats…</source>
        <translation>Alle Chats exportieren…</translation>
    </message>
    <message>
        <source>Import chats…</source>
        <translation>Chats importieren…</translation>
    </message>
    <message>
        <source>Deleted chats…</source>
        <translation>Gelöschte Chats…</translation>
    </message>
    <message>
        <source>&amp;Learning</source>
        <translation>&amp;Lernen</translation>
    </message>
    <message>
        <source>&amp;A is better</source>
        <translation>&amp;A ist besser</translation>
    </message>
    <message>
        <source>&amp;B is better</source>
        <translation>&amp;B ist besser</translation>
    </message>
    <message>
        <source>About &amp;equal</source>
        <translation>Etwa &amp;gleich</translation>
    </message>
    <message>
        <source>&amp;Neither</source>
        <translation>&amp;Keine von beiden</translation>
    </message>
    <message>
        <source>&amp;Hear A</source>
        <translation>A &amp;hören</translation>
    </message>
    <message>
        <source>&amp;Skip</source>
        <translation>Über&amp;springen</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>&amp;Two answers to the last question</source>
        <translation>&amp;Zwei Antworten auf die letzte Frage</translation>
    </message>
    <message>
        <source>&amp;What I learned</source>
        <translation>&amp;Was ich gelernt habe</translation>
    </message>
    <message>
        <source>&amp;Import profile…</source>
        <translation>Profil &amp;importieren…</translation>
    </message>
    <message>
        <source>E&amp;xport profile…</source>
        <translation>Profil e&amp;xportieren…</translation>
    </message>
    <message>
        <source>Your &amp;data</source>
        <translation>Meine &amp;Daten</translation>
    </message>
    <message>
        <source>Back to the &amp;chat</source>
        <translation>Zurück zum &amp;Chat</translation>
    </message>
    <message>
        <source>How far this chat learns</source>
        <translation>Wie weit dieser Chat lernt</translation>
    </message>
    <message>
        <source>&amp;Learn everywhere</source>
        <translation>Überall &amp;lernen</translation>
    </message>
    <message>
        <source>Settin&amp;gs</source>
        <translation>&amp;Einstellungen</translation>
    </message>
    <message>
        <source>Hea&amp;r B</source>
        <translation>B h&amp;ören</translation>
    </message>
    <message>
        <source>Learn in this chat onl&amp;y</source>
        <translation>&amp;Nur in diesem Chat lernen</translation>
    </message>
    <message>
        <source>Learn n&amp;othing here</source>
        <translation>Hier nich&amp;ts lernen</translation>
    </message>
    <message>
        <source>&amp;Preferences</source>
        <translation>&amp;Vorlieben</translation>
    </message>
    <message>
        <source>&amp;Add a preference…</source>
        <translation>Vorliebe &amp;hinzufügen…</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>&amp;Stronger</source>
        <translation>&amp;Stärker</translation>
    </message>
    <message>
        <source>&amp;Weaker</source>
        <translation>Sch&amp;wächer</translation>
    </message>
    <message>
        <source>&amp;Neutral answers</source>
        <translation>&amp;Neutrale Antworten</translation>
    </message>
    <message>
        <source>&amp;Model</source>
        <translation>&amp;Modell</translation>
    </message>
    <message>
        <source>&amp;Choose a model…</source>
        <translation>Modell &amp;wählen…</translation>
    </message>
    <message>
        <source>&amp;Open GGUF…</source>
        <translation>GGUF ö&amp;ffnen…</translation>
    </message>
    <message>
        <source>&amp;Portfolio</source>
        <translation>&amp;Portfolio</translation>
    </message>
    <message>
        <source>&amp;Workshop</source>
        <translation>W&amp;erkstatt</translation>
    </message>
    <message>
        <source>Mana&amp;ge models</source>
        <translation>Modelle verwa&amp;lten</translation>
    </message>
    <message>
        <source>Use &amp;another setting…</source>
        <translation>&amp;Andere Variante verwenden…</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>Zoom &amp;in</source>
        <translation>&amp;Vergrößern</translation>
    </message>
    <message>
        <source>Zoom &amp;out</source>
        <translation>Ver&amp;kleinern</translation>
    </message>
    <message>
        <source>&amp;Actual size</source>
        <translation>&amp;Normale Größe</translation>
    </message>
    <message>
        <source>&amp;Full screen</source>
        <translation>V&amp;ollbild</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Keyboard shortcuts</source>
        <translation>&amp;Tastenkürzel</translation>
    </message>
    <message>
        <source>&amp;About Attune</source>
        <translation>&amp;Über Attune</translation>
    </message>
    <message>
        <source>&amp;Copy diagnostics</source>
        <translation>Diagnose &amp;kopieren</translation>
    </message>
    <message>
        <source>Open the &amp;log folder</source>
        <translation>&amp;Protokollordner öffnen</translation>
    </message>
    <message>
        <source>{0} (the file is not there)</source>
        <translation>{0} (die Datei ist nicht da)</translation>
    </message>
    <message>
        <source>{0} (starter model)</source>
        <translation>{0} (Startmodell)</translation>
    </message>
</context>
<context>
    <name>Merging</name>
    <message>
        <source>Merge several into one</source>
        <translation>Mehrere zu einem zusammenführen</translation>
    </message>
    <message>
        <source>Add a file…</source>
        <translation>Datei hinzufügen…</translation>
    </message>
    <message>
        <source>What they were made from</source>
        <translation>Woraus sie gemacht wurden</translation>
    </message>
    <message>
        <source>How they are merged</source>
        <translation>Wie sie zusammengeführt werden</translation>
    </message>
    <message>
        <source>How far the merge is</source>
        <translation>Wie weit das Zusammenführen ist</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Stop merging</source>
        <translation>Zusammenführen anhalten</translation>
    </message>
    <message>
        <source>It goes on there the next time</source>
        <translation>Beim nächsten Mal geht es dort weiter</translation>
    </message>
    <message>
        <source>Checking whether it fits …</source>
        <translation>Es wird geprüft, ob es passt …</translation>
    </message>
    <message>
        <source>A file that you added</source>
        <translation>Eine hinzugefügte Datei</translation>
    </message>
    <message>
        <source>One thing is made at a time.</source>
        <translation>Immer nur eines auf einmal.</translation>
    </message>
    <message>
        <source>None of your models can be merged into: add one to your models first.</source>
        <translation>In keines der eigenen Modelle lässt sich zusammenführen: Bitte erst eines hinzufügen.</translation>
    </message>
    <message>
        <source>Tick two or more.</source>
        <translation>Bitte zwei oder mehr ankreuzen.</translation>
    </message>
    <message>
        <source>Checking whether they fit together …</source>
        <translation>Es wird geprüft, ob sie zusammenpassen …</translation>
    </message>
    <message>
        <source>Fewer than two of those that are ticked fit.</source>
        <translation>Von den angekreuzten passen weniger als zwei.</translation>
    </message>
    <message numerus="yes">
        <source>%n that do(es) not fit is/are left out.</source>
        <comment>members</comment>
        <translation>
            <numerusform>Eines, das nicht passt, wird weggelassen.</numerusform>
            <numerusform>%n, die nicht passen, werden weggelassen.</numerusform>
        </translation>
    </message>
    <message>
        <source>It takes a minute by a quick method, and minutes to hours by one that learns.</source>
        <translation>Mit einer schnellen Methode dauert es eine Minute, mit einer lernenden Minuten bis Stunden.</translation>
    </message>
    <message>
        <source>What is ticked was made from it</source>
        <translation>Das Angekreuzte wurde daraus gemacht</translation>
    </message>
    <message>
        <source>What you train appears here. Adapters and models from elsewhere can be added.</source>
        <translation>Hier erscheint, was trainiert wurde. Adapter und Modelle von anderswo lassen sich hinzufügen.</translation>
    </message>
    <message>
        <source>Into</source>
        <translation>In</translation>
    </message>
    <message>
        <source>Add a file to be merged</source>
        <translation>Eine Datei zum Zusammenführen hinzufügen</translation>
    </message>
</context>
<context>
    <name>ModelLine</name>
    <message>
        <source>not loaded</source>
        <translation>nicht geladen</translation>
    </message>
    <message>
        <source>loading …</source>
        <translation>wird geladen …</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
</context>
<context>
    <name>Models</name>
    <message>
        <source>Open a model</source>
        <translation>Modell öffnen</translation>
    </message>
    <message>
        <source>Models (*.gguf);;All files (*)</source>
        <translation>Modelle (*.gguf);;Alle Dateien (*)</translation>
    </message>
</context>
<context>
    <name>ModelsPage</name>
    <message>
        <source>On this computer</source>
        <translation>Auf diesem Computer</translation>
    </message>
    <message>
        <source>Recommended</source>
        <translation>Empfohlen</translation>
    </message>
    <message>
        <source>In the folders of other apps</source>
        <translation>In den Ordnern anderer Apps</translation>
    </message>
    <message>
        <source>Offline mode is being switched on.</source>
        <translation>Der Offline-Modus wird eingeschaltet.</translation>
    </message>
    <message>
        <source>One thing is done at a time.</source>
        <translation>Immer nur eines auf einmal.</translation>
    </message>
    <message>
        <source>Reading …</source>
        <translation>Wird gelesen …</translation>
    </message>
    <message>
        <source>The model that came with Attune is small, so that it runs everywhere. A larger one knows more and is slower. It is downloaded once, and answers without a network ever after.</source>
        <translation>Das mitgelieferte Modell ist klein, damit es überall läuft. Ein größeres weiß mehr und ist langsamer. Es wird einmal heruntergeladen und antwortet danach immer ohne Netzwerk.</translation>
    </message>
    <message>
        <source>Offline mode</source>
        <translation>Offline-Modus</translation>
    </message>
    <message>
        <source>While it is on, Attune&apos;s download program is never started.</source>
        <translation>Solange er an ist, wird das Ladeprogramm von Attune nie gestartet.</translation>
    </message>
    <message>
        <source>Ending …</source>
        <translation>Wird beendet …</translation>
    </message>
    <message>
        <source>What came so far is kept.</source>
        <translation>Was schon da ist, bleibt erhalten.</translation>
    </message>
    <message>
        <source>Use it now</source>
        <translation>Jetzt verwenden</translation>
    </message>
    <message>
        <source>{0} answers from now on.</source>
        <translation>{0} antwortet von jetzt an.</translation>
    </message>
    <message>
        <source>Each was tried with Attune, and what comes is compared with a hash that came with it. Getting one is the only thing for which Attune ever uses a network.</source>
        <translation>Jedes wurde mit Attune ausprobiert, und was ankommt, wird mit einer mitgelieferten Prüfsumme verglichen. Nur zum Holen eines Modells nutzt Attune je ein Netzwerk.</translation>
    </message>
    <message>
        <source>Models of LM Studio, Jan, GPT4All and Ollama are shown here, where there are.</source>
        <translation>Hier erscheinen Modelle von LM Studio, Jan, GPT4All und Ollama, wo es welche gibt.</translation>
    </message>
</context>
<context>
    <name>NamedFile</name>
    <message>
        <source>Get it</source>
        <translation>Holen</translation>
    </message>
    <message>
        <source>How far the file is</source>
        <translation>Wie weit die Datei ist</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Stop getting the file</source>
        <translation>Holen der Datei anhalten</translation>
    </message>
    <message>
        <source>What came so far is kept</source>
        <translation>Was schon da ist, bleibt erhalten</translation>
    </message>
    <message>
        <source>Another one, by its name on the hub</source>
        <translation>Ein anderes, nach seinem Namen auf dem Hub</translation>
    </message>
    <message>
        <source>Name the repository and the file.</source>
        <translation>Bitte Repository und Datei nennen.</translation>
    </message>
    <message>
        <source>The hub is huggingface.co. The file has to be a GGUF model; it is compared with the hash that the hub tells. Attune has not tried it.</source>
        <translation>Der Hub ist huggingface.co. Die Datei muss ein GGUF-Modell sein; sie wird mit der Prüfsumme verglichen, die der Hub nennt. Attune hat es nicht ausprobiert.</translation>
    </message>
    <message>
        <source>Get the file that is named</source>
        <translation>Die genannte Datei holen</translation>
    </message>
    <message>
        <source>Repository</source>
        <translation>Repository</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
</context>
<context>
    <name>NextLine</name>
    <message>
        <source>Use another</source>
        <translation>Andere verwenden</translation>
    </message>
    <message>
        <source>Use another setting for the next answer</source>
        <translation>Für die nächste Antwort eine andere Variante verwenden</translation>
    </message>
</context>
<context>
    <name>Options</name>
    <message>
        <source>These settings are as they were at first.</source>
        <translation>Diese Einstellungen sind wie am Anfang.</translation>
    </message>
</context>
<context>
    <name>Page</name>
    <message>
        <source>Show earlier</source>
        <translation>Frühere zeigen</translation>
    </message>
    <message>
        <source>Conversation</source>
        <translation>Unterhaltung</translation>
    </message>
</context>
<context>
    <name>PairView</name>
    <message>
        <source>About equal</source>
        <translation>Etwa gleich</translation>
    </message>
    <message>
        <source>Neither</source>
        <translation>Keine von beiden</translation>
    </message>
    <message>
        <source>Skip</source>
        <translation>Überspringen</translation>
    </message>
    <message>
        <source>Why two? {0}</source>
        <translation>Warum zwei? {0}</translation>
    </message>
    <message>
        <source>Why two? In this chat only its own votes count. {0}</source>
        <translation>Warum zwei? In diesem Chat zählen nur seine eigenen Stimmen. {0}</translation>
    </message>
</context>
<context>
    <name>PoolEditor</name>
    <message>
        <source>Settings that are measured; the space bar changes it</source>
        <translation>Varianten, die gemessen werden; die Leertaste ändert es</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Add a setting</source>
        <translation>Variante hinzufügen</translation>
    </message>
    <message>
        <source>Model: {0}. Choose another</source>
        <translation>Modell: {0}. Ein anderes wählen</translation>
    </message>
    <message>
        <source>concise, warm</source>
        <translation>concise, warm</translation>
    </message>
    <message>
        <source>What it prefers, separated by commas</source>
        <translation>Was sie vorzieht, durch Kommas getrennt</translation>
    </message>
    <message>
        <source>Add this setting</source>
        <translation>Diese Variante hinzufügen</translation>
    </message>
</context>
<context>
    <name>PortfolioPage</name>
    <message>
        <source>How far the models are measured</source>
        <translation>Wie weit die Modelle gemessen sind</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Cancel measuring</source>
        <translation>Messen abbrechen</translation>
    </message>
    <message>
        <source>What is measured is kept</source>
        <translation>Das Gemessene bleibt erhalten</translation>
    </message>
    <message>
        <source>Choose for me before each answer</source>
        <translation>Vor jeder Antwort für mich wählen</translation>
    </message>
    <message numerus="yes">
        <source>What is measured: %n setting(s)</source>
        <translation>
            <numerusform>Was gemessen wird: eine Variante</numerusform>
            <numerusform>Was gemessen wird: %n Varianten</numerusform>
        </translation>
    </message>
    <message>
        <source>Nothing is measured yet.</source>
        <translation>Noch ist nichts gemessen.</translation>
    </message>
    <message>
        <source>Attune lets your models, asked in several ways, answer the same questions, keeps the few settings of which one is nearly the best for every taste, and can then choose for you before each answer. You can go on chatting meanwhile.</source>
        <translation>Attune lässt die eigenen Modelle, auf verschiedene Weise gefragt, dieselben Fragen beantworten, behält die wenigen Varianten, von denen für jeden Geschmack eine fast die beste ist, und kann dann vor jeder Antwort wählen. Chatten geht währenddessen weiter.</translation>
    </message>
    <message numerus="yes">
        <source>Left out: %n setting(s)</source>
        <translation>
            <numerusform>Weggelassen: eine Variante</numerusform>
            <numerusform>Weggelassen: %n Varianten</numerusform>
        </translation>
    </message>
    <message>
        <source>Answers next</source>
        <translation>Antwortet als Nächstes</translation>
    </message>
    <message>
        <source>Suits you best</source>
        <translation>Passt am besten</translation>
    </message>
    <message>
        <source>None of these settings can be had now.</source>
        <translation>Keine dieser Varianten ist jetzt verfügbar.</translation>
    </message>
    <message>
        <source>Now you choose the model and the preferences yourself.</source>
        <translation>Zurzeit wählen Sie Modell und Vorlieben selbst.</translation>
    </message>
    <message>
        <source>Neutral is on, so the untouched model answers.</source>
        <translation>Neutral ist an, deshalb antwortet das unveränderte Modell.</translation>
    </message>
    <message>
        <source>Measure what is new</source>
        <translation>Neues messen</translation>
    </message>
    <message>
        <source>Measure again</source>
        <translation>Erneut messen</translation>
    </message>
    <message>
        <source>Go on measuring</source>
        <translation>Weiter messen</translation>
    </message>
    <message>
        <source>Measure my models</source>
        <translation>Meine Modelle messen</translation>
    </message>
    <message>
        <source>Ending …</source>
        <translation>Wird beendet …</translation>
    </message>
    <message>
        <source>What is measured is kept.</source>
        <translation>Das Gemessene bleibt erhalten.</translation>
    </message>
    <message>
        <source>Getting ready …</source>
        <translation>Wird vorbereitet …</translation>
    </message>
    <message>
        <source>Measuring has begun.</source>
        <translation>Das Messen hat begonnen.</translation>
    </message>
    <message>
        <source>Your models are measured. {0}</source>
        <translation>Die Modelle sind gemessen. {0}</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Taken back: {0}.</source>
        <translation>Zurückgenommen: {0}.</translation>
    </message>
    <message>
        <source>It holds for these settings, questions and scores, and says no more.</source>
        <translation>Das gilt für diese Varianten, Fragen und Bewertungen und besagt nicht mehr.</translation>
    </message>
    <message>
        <source>Worth keeping</source>
        <translation>Lohnt sich</translation>
    </message>
    <message>
        <source>How good they are</source>
        <translation>Wie gut sie sind</translation>
    </message>
</context>
<context>
    <name>ReceiptView</name>
    <message>
        <source>Receipt</source>
        <translation>Beleg</translation>
    </message>
    <message>
        <source>Save receipt…</source>
        <translation>Beleg speichern…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
</context>
<context>
    <name>Said</name>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
</context>
<context>
    <name>SearchField</name>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Search all chats</source>
        <translation>Alle Chats durchsuchen</translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>Smaller</source>
        <translation>Kleiner</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>Größer</translation>
    </message>
    <message>
        <source>As the system&apos;s</source>
        <translation>Wie im System</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Eingabe</translation>
    </message>
    <message>
        <source>Ctrl+Enter</source>
        <translation>Strg+Eingabe</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>CPU only</source>
        <translation>Nur CPU</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>Offline</translation>
    </message>
    <message>
        <source>Open the data folder</source>
        <translation>Datenordner öffnen</translation>
    </message>
    <message>
        <source>Reset these settings</source>
        <translation>Diese Einstellungen zurücksetzen</translation>
    </message>
    <message>
        <source>No setting is called that. Try another word.</source>
        <translation>Keine Einstellung heißt so. Bitte ein anderes Wort versuchen.</translation>
    </message>
    <message>
        <source>These settings are as they were before.</source>
        <translation>Diese Einstellungen sind wie zuvor.</translation>
    </message>
    <message>
        <source>The folder cannot be opened. Its path is above.</source>
        <translation>Der Ordner lässt sich nicht öffnen. Sein Pfad steht darüber.</translation>
    </message>
    <message>
        <source>For those who know — hide</source>
        <translation>Für Kundige – ausblenden</translation>
    </message>
    <message>
        <source>For those who know — show</source>
        <translation>Für Kundige – anzeigen</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>The system&apos;s</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Search the settings</source>
        <translation>Einstellungen durchsuchen</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>Kleinerer Text</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>Größerer Text</translation>
    </message>
    <message>
        <source>Text as large as the system&apos;s</source>
        <translation>Text so groß wie im System</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
</context>
<context>
    <name>Shelf</name>
    <message>
        <source>{0} is among your models now.</source>
        <translation>{0} gehört jetzt zu den eigenen Modellen.</translation>
    </message>
    <message>
        <source>{0} is not among your models any more.</source>
        <translation>{0} gehört nicht mehr zu den eigenen Modellen.</translation>
    </message>
    <message>
        <source>{0} is deleted.</source>
        <translation>{0} ist gelöscht.</translation>
    </message>
</context>
<context>
    <name>ShortcutList</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>New line in the question</source>
        <translation>Neue Zeile in der Frage</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <translation>Umschalt+Eingabe</translation>
    </message>
</context>
<context>
    <name>Side</name>
    <message>
        <source>{0} is better</source>
        <translation>{0} ist besser</translation>
    </message>
    <message>
        <source>Answer {0}</source>
        <translation>Antwort {0}</translation>
    </message>
</context>
<context>
    <name>SideNote</name>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>+  New chat</source>
        <translation>+  Neuer Chat</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>Neuer Chat</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Chat</translation>
    </message>
    <message>
        <source>What I learned</source>
        <translation>Was ich gelernt habe</translation>
    </message>
    <message>
        <source>Portfolio</source>
        <translation>Portfolio</translation>
    </message>
    <message>
        <source>Workshop</source>
        <translation>Werkstatt</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Your data</source>
        <translation>Meine Daten</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Nothing you write leaves this computer.</source>
        <translation>Nichts Geschriebenes verlässt diesen Computer.</translation>
    </message>
    <message numerus="yes">
        <source>%n vote(s)</source>
        <translation>
            <numerusform>eine Stimme</numerusform>
            <numerusform>%n Stimmen</numerusform>
        </translation>
    </message>
    <message>
        <source>{0} measured</source>
        <translation>{0} gemessen</translation>
    </message>
    <message>
        <source>{0} made</source>
        <translation>{0} gemacht</translation>
    </message>
    <message>
        <source>{0} done</source>
        <translation>{0} fertig</translation>
    </message>
    <message>
        <source>{0}, shown now</source>
        <translation>{0}, wird angezeigt</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Model: {0}. Choose another</source>
        <translation>Modell: {0}. Ein anderes wählen</translation>
    </message>
    <message>
        <source>{0}. Change that</source>
        <translation>{0}. Das ändern</translation>
    </message>
    <message>
        <source>{0} tokens/s</source>
        <translation>{0} Token/s</translation>
    </message>
    <message>
        <source>{0} % of context</source>
        <translation>{0} % des Kontexts</translation>
    </message>
    <message>
        <source>{0} of {1} tokens are in use. When the chat no longer fits, its oldest messages are left out of what the model reads; they stay here for you.</source>
        <translation>{0} von {1} Token sind belegt. Passt der Chat nicht mehr hinein, liest das Modell die ältesten Nachrichten nicht mehr; hier bleiben sie erhalten.</translation>
    </message>
    <message>
        <source>How far what is learned in this chat goes</source>
        <translation>Wie weit reicht, was in diesem Chat gelernt wird</translation>
    </message>
    <message>
        <source>Choose a model (Ctrl+M)</source>
        <translation>Modell wählen (Strg+M)</translation>
    </message>
    <message>
        <source>Context in use</source>
        <translation>Belegter Kontext</translation>
    </message>
</context>
<context>
    <name>SteeringBar</name>
    <message>
        <source>Neu&amp;tral</source>
        <translation>Neu&amp;tral</translation>
    </message>
    <message>
        <source>Neutral answers</source>
        <translation>Neutrale Antworten</translation>
    </message>
    <message>
        <source>The untouched model answers; preferences and votes rest.</source>
        <translation>Das unveränderte Modell antwortet; Vorlieben und Stimmen ruhen.</translation>
    </message>
</context>
<context>
    <name>Strength</name>
    <message>
        <source>Strength of the preferences</source>
        <translation>Stärke der Vorlieben</translation>
    </message>
    <message>
        <source>&amp;Strength</source>
        <translation>&amp;Stärke</translation>
    </message>
    <message>
        <source>resting</source>
        <translation>ruht</translation>
    </message>
    <message>
        <source>only a hint</source>
        <translation>nur ein Hauch</translation>
    </message>
    <message>
        <source>light</source>
        <translation>leicht</translation>
    </message>
    <message>
        <source>clear</source>
        <translation>deutlich</translation>
    </message>
    <message>
        <source>strong</source>
        <translation>stark</translation>
    </message>
    <message>
        <source>very strong, may become repetitive</source>
        <translation>sehr stark, kann sich wiederholen</translation>
    </message>
</context>
<context>
    <name>Teaching</name>
    <message>
        <source>Teach a trait</source>
        <translation>Ein Merkmal beibringen</translation>
    </message>
    <message>
        <source>What it shall learn</source>
        <translation>Was gelernt werden soll</translation>
    </message>
    <message>
        <source>Which model shall learn it</source>
        <translation>Welches Modell es lernen soll</translation>
    </message>
    <message>
        <source>Train an adapter</source>
        <translation>Adapter trainieren</translation>
    </message>
    <message>
        <source>How far the adapter is trained</source>
        <translation>Wie weit der Adapter trainiert ist</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Stop training</source>
        <translation>Training anhalten</translation>
    </message>
    <message>
        <source>It goes on there the next time</source>
        <translation>Beim nächsten Mal geht es dort weiter</translation>
    </message>
    <message>
        <source>to</source>
        <translation>für</translation>
    </message>
    <message>
        <source>None of your models can learn here: that takes one of the llama type.</source>
        <translation>Keines der eigenen Modelle kann hier lernen: Dazu braucht es eines vom Typ llama.</translation>
    </message>
    <message>
        <source>One thing is made at a time.</source>
        <translation>Immer nur eines auf einmal.</translation>
    </message>
    <message>
        <source>It takes some minutes with a small model and longer with a large one. You can stop it and go on later, and chat meanwhile.</source>
        <translation>Mit einem kleinen Modell dauert es einige Minuten, mit einem großen länger. Es lässt sich anhalten und später fortsetzen; Chatten geht währenddessen.</translation>
    </message>
</context>
<context>
    <name>Thumbs</name>
    <message>
        <source>Taken back: {0}.</source>
        <translation>Zurückgenommen: {0}.</translation>
    </message>
</context>
<context>
    <name>TraitDetail</name>
    <message>
        <source>Delete this vote</source>
        <translation>Diese Stimme löschen</translation>
    </message>
    <message>
        <source>Forget this trait</source>
        <translation>Dieses Merkmal vergessen</translation>
    </message>
    <message>
        <source>Stop asking</source>
        <translation>Nicht mehr fragen</translation>
    </message>
    <message>
        <source>The votes behind it, the newest first:</source>
        <translation>Die Stimmen dahinter, die neueste zuerst:</translation>
    </message>
    <message>
        <source>No vote stands behind it yet.</source>
        <translation>Noch steht keine Stimme dahinter.</translation>
    </message>
    <message>
        <source>Votes behind this trait</source>
        <translation>Stimmen hinter diesem Merkmal</translation>
    </message>
    <message>
        <source>Earlier votes say nothing about it any more</source>
        <translation>Frühere Stimmen sagen dann nichts mehr darüber</translation>
    </message>
    <message>
        <source>Attune neither asks about it nor steers by it</source>
        <translation>Attune fragt dann weder danach, noch steuert es danach</translation>
    </message>
</context>
<context>
    <name>TraitTable</name>
    <message>
        <source>What I learned, trait by trait</source>
        <translation>Was ich gelernt habe, Merkmal für Merkmal</translation>
    </message>
</context>
<context>
    <name>Trash</name>
    <message>
        <source>Deleted chats</source>
        <translation>Gelöschte Chats</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>Erase for good…</source>
        <translation>Endgültig löschen…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Deleted chats can be had back for 30 days.</source>
        <translation>Gelöschte Chats lassen sich 30 Tage lang zurückholen.</translation>
    </message>
    <message>
        <source>There are no deleted chats.</source>
        <translation>Es gibt keine gelöschten Chats.</translation>
    </message>
</context>
<context>
    <name>TurnView</name>
    <message>
        <source>Earlier version of the question</source>
        <translation>Frühere Fassung der Frage</translation>
    </message>
    <message>
        <source>Later version of the question</source>
        <translation>Spätere Fassung der Frage</translation>
    </message>
    <message>
        <source>Earlier answer</source>
        <translation>Frühere Antwort</translation>
    </message>
    <message>
        <source>Later answer</source>
        <translation>Spätere Antwort</translation>
    </message>
    <message>
        <source>You asked</source>
        <translation>Die Frage war</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Antwort</translation>
    </message>
    <message>
        <source>{0} more characters are not shown; an export has them.</source>
        <translation>{0} weitere Zeichen werden nicht gezeigt; ein Export enthält sie.</translation>
    </message>
    <message>
        <source>Answer {0}</source>
        <translation>Antwort {0}</translation>
    </message>
    <message>
        <source>Answer {0}, the better one</source>
        <translation>Antwort {0}, die bessere</translation>
    </message>
    <message>
        <source>Answer {0}, not chosen</source>
        <translation>Antwort {0}, nicht gewählt</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Skipped: nothing was learned from these two.</source>
        <translation>Übersprungen: Aus diesen beiden wurde nichts gelernt.</translation>
    </message>
    <message>
        <source>Vote after all</source>
        <translation>Doch abstimmen</translation>
    </message>
    <message>
        <source>Saving your vote …</source>
        <translation>Die Stimme wird gespeichert …</translation>
    </message>
    <message>
        <source>Both answers came out alike, so there is nothing to compare.</source>
        <translation>Beide Antworten sind gleich ausgefallen, es gibt also nichts zu vergleichen.</translation>
    </message>
    <message>
        <source>Nothing of the two was written, so there is nothing to vote on.</source>
        <translation>Von beiden wurde nichts geschrieben, also gibt es nichts abzustimmen.</translation>
    </message>
    <message>
        <source>Both were cut short, so there is nothing to vote on.</source>
        <translation>Beide wurden abgebrochen, also gibt es nichts abzustimmen.</translation>
    </message>
    <message>
        <source>One of the two was cut short, so there is nothing to vote on.</source>
        <translation>Eine der beiden wurde abgebrochen, es gibt also nichts abzustimmen.</translation>
    </message>
    <message>
        <source>Undo the vote</source>
        <translation>Die Stimme zurücknehmen</translation>
    </message>
    <message>
        <source>Edit this question</source>
        <translation>Diese Frage bearbeiten</translation>
    </message>
    <message>
        <source>Waiting for the model …</source>
        <translation>Warten auf das Modell …</translation>
    </message>
    <message>
        <source>Reading …</source>
        <translation>Wird gelesen …</translation>
    </message>
    <message>
        <source>Nothing was written yet.</source>
        <translation>Noch wurde nichts geschrieben.</translation>
    </message>
    <message>
        <source>Interrupted before anything was written.</source>
        <translation>Unterbrochen, bevor etwas geschrieben wurde.</translation>
    </message>
    <message>
        <source>This answer was cut off.</source>
        <translation>Diese Antwort wurde abgebrochen.</translation>
    </message>
    <message>
        <source>Interrupted: this is what there was.</source>
        <translation>Unterbrochen: So weit war sie.</translation>
    </message>
    <message>
        <source>Steered towards: {0}</source>
        <translation>Gesteuert zu: {0}</translation>
    </message>
    <message>
        <source>Learned: {0}</source>
        <translation>Gelernt: {0}</translation>
    </message>
</context>
<context>
    <name>Typesetter</name>
    <message>
        <source>Copy code</source>
        <translation>Code kopieren</translation>
    </message>
</context>
<context>
    <name>Versions</name>
    <message>
        <source>{0} of {1}</source>
        <translation>{0} von {1}</translation>
    </message>
    <message>
        <source>Version {0}</source>
        <translation>Fassung {0}</translation>
    </message>
</context>
<context>
    <name>Voting</name>
    <message>
        <source>Skipped.</source>
        <translation>Übersprungen.</translation>
    </message>
    <message>
        <source>The vote was taken back; you can vote again.</source>
        <translation>Die Stimme wurde zurückgenommen; Abstimmen ist wieder möglich.</translation>
    </message>
    <message>
        <source>Your vote counts.</source>
        <translation>Die Stimme zählt.</translation>
    </message>
    <message>
        <source>Taken back: {0}.</source>
        <translation>Zurückgenommen: {0}.</translation>
    </message>
</context>
<context>
    <name>WeightPicture</name>
    <message>
        <source>Picture of the tastes</source>
        <translation>Bild der Geschmäcker</translation>
    </message>
</context>
<context>
    <name>Weights</name>
    <message>
        <source>What matters to you</source>
        <translation>Was wichtig ist</translation>
    </message>
</context>
<context>
    <name>Welcome</name>
    <message>
        <source>What would you like to know?</source>
        <translation>Was möchten Sie wissen?</translation>
    </message>
    <message>
        <source>Skip the introduction (Esc)</source>
        <translation>Einführung überspringen (Esc)</translation>
    </message>
    <message>
        <source>Welcome to Attune</source>
        <translation>Willkommen bei Attune</translation>
    </message>
    <message>
        <source>A language model answers you here, on this computer, and learns from a few thumbs how you like to be answered. Nothing you write leaves this computer.</source>
        <translation>Hier antwortet ein Sprachmodell auf diesem Computer und lernt aus wenigen Daumen, welche Antworten gefallen. Nichts Geschriebenes verlässt diesen Computer.</translation>
    </message>
    <message>
        <source>How do I keep basil alive?</source>
        <translation>Wie halte ich Basilikum am Leben?</translation>
    </message>
    <message>
        <source>Why is the sky blue, and sunsets red?</source>
        <translation>Warum ist der Himmel blau und abends rot?</translation>
    </message>
    <message>
        <source>Write a birthday message for a colleague.</source>
        <translation>Schreibe einem Kollegen einen Geburtstagsgruß.</translation>
    </message>
    <message>
        <source>Ask: {0}</source>
        <translation>Fragen: {0}</translation>
    </message>
</context>
<context>
    <name>WorkshopPage</name>
    <message>
        <source>Made here</source>
        <translation>Hier gemacht</translation>
    </message>
    <message>
        <source>An adapter is a small file with which a model answers in a way of itself, at its plain speed, instead of being steered with every word. Merging makes one model of several adapters or models, which keeps what each of them learned.</source>
        <translation>Ein Adapter ist eine kleine Datei, mit der ein Modell von sich aus auf eine bestimmte Weise antwortet, in voller Geschwindigkeit, statt bei jedem Wort gesteuert zu werden. Zusammenführen macht aus mehreren Adaptern oder Modellen eines, das erhält, was jedes gelernt hat.</translation>
    </message>
    <message>
        <source>Ending …</source>
        <translation>Wird beendet …</translation>
    </message>
    <message>
        <source>What was learned is kept.</source>
        <translation>Das Gelernte bleibt erhalten.</translation>
    </message>
    <message>
        <source>The folder cannot be opened. The file is {0}</source>
        <translation>Der Ordner lässt sich nicht öffnen. Die Datei ist {0}</translation>
    </message>
</context>
</TS>
