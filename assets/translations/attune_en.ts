<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name></name>
    <message numerus="yes">
        <source>about %Ln word(s) a second, measured here</source>
        <translation>
            <numerusform>about one word a second, measured here</numerusform>
            <numerusform>about %Ln words a second, measured here</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n chat(s)</source>
        <translation>
            <numerusform>%n chat</numerusform>
            <numerusform>%n chats</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n message(s)</source>
        <translation>
            <numerusform>%n message</numerusform>
            <numerusform>%n messages</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n was/were here already</source>
        <translation>
            <numerusform>one was here already</numerusform>
            <numerusform>%n were here already</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n file(s) exported to {0}.</source>
        <translation>
            <numerusform>%n file exported to {0}.</numerusform>
            <numerusform>%n files exported to {0}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln, the trash included</source>
        <comment>chats</comment>
        <translation>
            <numerusform>one, the trash included</numerusform>
            <numerusform>%Ln, the trash included</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln that count(s)</source>
        <comment>votes</comment>
        <translation>
            <numerusform>one that counts</numerusform>
            <numerusform>%Ln that count</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln trait(s), worked out from the votes</source>
        <translation>
            <numerusform>one trait</numerusform>
            <numerusform>%Ln traits, worked out from the votes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln, for the portfolio</source>
        <comment>measured answers</comment>
        <translation>
            <numerusform>one, for the portfolio</numerusform>
            <numerusform>%Ln, for the portfolio</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>a list of %Ln; the file(s) stay(s) where you have them</source>
        <comment>models</comment>
        <translation>
            <numerusform>a list of one; its file stays where you have it</numerusform>
            <numerusform>a list of %Ln; their files stay where you have them</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln adapter(s) and model(s)</source>
        <translation>
            <numerusform>one adapter or model</numerusform>
            <numerusform>%Ln adapters and models</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s)</source>
        <translation>
            <numerusform>one file</numerusform>
            <numerusform>%Ln files</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln, of chats and votes</source>
        <comment>copies</comment>
        <translation>
            <numerusform>one, of chats or votes</numerusform>
            <numerusform>%Ln, of chats and votes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln piece(s) that can go on</source>
        <translation>
            <numerusform>one piece that can go on</numerusform>
            <numerusform>%Ln pieces that can go on</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n vote(s)</source>
        <translation>
            <numerusform>one vote</numerusform>
            <numerusform>%n votes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Left out: %n that no profile may hold.</source>
        <comment>votes</comment>
        <translation>
            <numerusform>Left out: one that no profile may hold.</numerusform>
            <numerusform>Left out: %n that no profile may hold.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n file(s) is/are erased, {0}.</source>
        <translation>
            <numerusform>One file is erased, {0}.</numerusform>
            <numerusform>%n files are erased, {0}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n could not be; the receipt says which, and why.</source>
        <comment>erased files</comment>
        <translation>
            <numerusform>One could not be; the receipt says which, and why.</numerusform>
            <numerusform>%n could not be; the receipt says which, and why.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{0}, %n known already</source>
        <translation>
            <numerusform>{0}, %n known already</numerusform>
            <numerusform>{0}, %n known already</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{0}, %n of yours count(s) no more</source>
        <translation>
            <numerusform>{0}, %n of yours counts no more</numerusform>
            <numerusform>{0}, %n of yours count no more</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n new vote(s)</source>
        <translation>
            <numerusform>one new vote</numerusform>
            <numerusform>%n new votes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>From %n vote(s).</source>
        <translation>
            <numerusform>From one vote.</numerusform>
            <numerusform>From %n votes.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n vote(s) count(s) in its/their own chat only, and not here.</source>
        <translation>
            <numerusform>One vote counts in its own chat only, and not here.</numerusform>
            <numerusform>%n votes count in their own chats only, and not here.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n vote(s) could not be read and do(es) not count.</source>
        <translation>
            <numerusform>One vote could not be read and does not count.</numerusform>
            <numerusform>%n votes could not be read and do not count.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>About %n more comparison(s) would settle the rest.</source>
        <translation>
            <numerusform>One more comparison would settle the rest.</numerusform>
            <numerusform>About %n more comparisons would settle the rest.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>About %n more comparison(s) would probably settle it.</source>
        <translation>
            <numerusform>One more comparison would probably settle it.</numerusform>
            <numerusform>About %n more comparisons would probably settle it.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Of {0} settings measured, %n is/are worth keeping.</source>
        <translation>
            <numerusform>Of {0} settings measured, one is worth keeping.</numerusform>
            <numerusform>Of {0} settings measured, %n are worth keeping.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n model(s)</source>
        <translation>
            <numerusform>one model</numerusform>
            <numerusform>%n models</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n setting(s)</source>
        <translation>
            <numerusform>one setting</numerusform>
            <numerusform>%n settings</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln answer(s)</source>
        <translation>
            <numerusform>%Ln answer</numerusform>
            <numerusform>%Ln answers</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{0}, of which %Ln is/are there already.</source>
        <comment>answers</comment>
        <translation>
            <numerusform>{0}, of which %Ln is there already.</numerusform>
            <numerusform>{0}, of which %Ln are there already.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about %n minute(s) left</source>
        <translation>
            <numerusform>about a minute left</numerusform>
            <numerusform>about %n minutes left</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about %n hour(s) left</source>
        <translation>
            <numerusform>about an hour left</numerusform>
            <numerusform>about %n hours left</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n adapter(s)</source>
        <translation>
            <numerusform>one adapter</numerusform>
            <numerusform>%n adapters</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n merged model(s)</source>
        <translation>
            <numerusform>one merged model</numerusform>
            <numerusform>%n merged models</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Merged from %n by {0}</source>
        <comment>members</comment>
        <translation>
            <numerusform>Merged from %n by {0}</numerusform>
            <numerusform>Merged from %n by {0}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Merge %n member(s)</source>
        <translation>
            <numerusform>Merge %n member</numerusform>
            <numerusform>Merge %n members</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Merging %n member(s)</source>
        <translation>
            <numerusform>Merging %n member</numerusform>
            <numerusform>Merging %n members</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Foreseeing</name>
    <message numerus="yes">
        <source>With this question the chat is longer than what the model can read: of its oldest messages about %n will be left out. They stay here for you.</source>
        <translation>
            <numerusform>With this question the chat is longer than what the model can read: of its oldest messages about one will be left out. It stays here for you.</numerusform>
            <numerusform>With this question the chat is longer than what the model can read: of its oldest messages about %n will be left out. They stay here for you.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>drops the oldest %n message(s)</source>
        <translation>
            <numerusform>drops the oldest message</numerusform>
            <numerusform>drops the oldest %n messages</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Merging</name>
    <message numerus="yes">
        <source>%n that do(es) not fit is/are left out.</source>
        <comment>members</comment>
        <translation>
            <numerusform>One that does not fit is left out.</numerusform>
            <numerusform>%n that do not fit are left out.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PortfolioPage</name>
    <message numerus="yes">
        <source>What is measured: %n setting(s)</source>
        <translation>
            <numerusform>What is measured: one setting</numerusform>
            <numerusform>What is measured: %n settings</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Left out: %n setting(s)</source>
        <translation>
            <numerusform>Left out: one setting</numerusform>
            <numerusform>Left out: %n settings</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message numerus="yes">
        <source>%n vote(s)</source>
        <translation>
            <numerusform>one vote</numerusform>
            <numerusform>%n votes</numerusform>
        </translation>
    </message>
</context>
</TS>
