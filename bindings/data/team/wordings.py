"""How people who work together write about what there is to do.

A frame takes one errand in the form that it asks for: {do} is "send the invoice", {did} "sent the invoice", {done} what
follows "have", and {doing} "sending the invoice". {n} is the name of a third person. Frames are grouped by what the
message does, and by who did the errand or is to do it: its writer, its reader, or somebody else.
"""

FRAMES = {
    ("request", "me"): [
        "May I {do}?",
        "Please let me {do}.",
        "I would like to {do}, if you agree.",
        "Would you mind if I {did}?",
        "Please allow me to {do} this time.",
        "Is it all right with you and {n} if I {do}?",
        "Can you please leave it to me to {do}?",
        "I'd love to {do}, may I?",
        "Don't do it yourself, please let me {do}.",
        "Could I please {do} instead of {n}?",
        "With your permission I would {do}.",
        "Be so kind as to let me {do}.",
        "Please let me {do} today.",
        "May I {do} instead of you?",
        "Would it be all right if I {did}?",
        "I'd like to {do} myself, please.",
        "Could you let me {do} for once?",
        "Do you mind if I {do}?",
        "Please give me a chance to {do}.",
        "Can I {do}, please?",
    ],
    ("request", "you"): [
        "Could you {do}?",
        "Please {do} before lunch.",
        "I need you to {do}.",
        "Would you mind {doing}?",
        "It would help me a lot if you could {do}.",
        "Can I ask you to {do}?",
        "May I leave it to you to {do}?",
        "{n} and I would like you to {do}.",
        "Don't wait for me, please {do} today.",
        "I'd be grateful if you {did} for me.",
        "Be so kind as to {do}, since {n} is away.",
        "Please don't forget to {do} when I am gone.",
        "Please {do} for me.",
        "Can you {do} today, please?",
        "Would you be so kind as to {do}?",
        "I'd like you to {do} yourself.",
        "Could you be the one to {do} for once?",
        "Do you mind {doing}?",
        "Please find the time to {do}.",
        "Would you {do}, please, as {n} can't?",
    ],
    ("request", "other"): [
        "Please ask {n} to {do}.",
        "Could {n} {do}, please?",
        "I would like {n} to {do}.",
        "Can you get {n} to {do} for me?",
        "Please let {n} {do}.",
        "I need {n} to {do}, not you.",
        "Would {n} be so kind as to {do}?",
        "Remind {n} to {do}, please.",
        "It would help me if {n} could {do}.",
        "Don't do it yourself, tell {n} to {do}.",
        "May I ask for {n} to {do}?",
        "Please see to it that {n} does not forget to {do}.",
        "Please have {n} {do} today.",
        "Could you ask {n} to {do}?",
        "Would you tell {n} to {do}, please?",
        "I'd like {n} to {do} instead of you.",
        "Can {n} {do} for once, please?",
        "Please get {n} to {do}.",
        "Please find out if {n} could {do} for me.",
        "Could you see to it that {n} {did} today?",
    ],
    ("plan", "me"): [
        "I'll {do} this afternoon.",
        "I am going to {do} tomorrow.",
        "You can count on me to {do}.",
        "I promise you to {do} by Friday.",
        "I told {n} that I would {do}.",
        "It is on my list to {do} next week.",
        "You don't have to {do}, I will.",
        "I plan to {do} on Monday, as you asked.",
        "{n} is busy, so I am the one who will {do}.",
        "Leave it to me, I'll {do} later.",
        "I have agreed with {n} to {do} myself.",
        "I will {do} as soon as you are back.",
        "I'm going to {do} for you.",
        "I will {do} today.",
        "Tomorrow I'll {do}.",
        "I intend to {do} before the weekend.",
        "Don't worry, I'll {do} in time.",
        "I said that I would {do}, and I will.",
        "Next week I am to {do}.",
        "I have decided to {do} on Friday.",
    ],
    ("plan", "you"): [
        "You'll {do} this afternoon, as we said.",
        "You are going to {do} tomorrow.",
        "You promised me to {do} by Friday.",
        "{n} tells me that you will {do}.",
        "I am glad that you will {do} next week.",
        "It is on your list to {do} on Monday.",
        "You offered to {do}, so I won't.",
        "I count on you to {do} later.",
        "You agreed with {n} to {do} yourself.",
        "I know that you plan to {do}.",
        "You are the one who will {do} when I am away.",
        "I don't have to {do}, you will.",
        "You're going to {do} for me.",
        "You will {do} today.",
        "Tomorrow you'll {do}.",
        "You intend to {do} before the weekend.",
        "I don't worry, as you'll {do} in time.",
        "You said that you would {do}.",
        "Next week you are to {do}.",
        "You have decided to {do} on Friday.",
    ],
    ("plan", "other"): [
        "{n} will {do} this afternoon.",
        "{n} is going to {do} tomorrow.",
        "{n} promised me to {do} by Friday.",
        "You can count on {n} to {do}.",
        "I am told that {n} plans to {do}.",
        "You don't have to {do}, {n} will.",
        "It is on the list for {n} to {do} next week.",
        "{n} offered you and me to {do} later.",
        "Neither you nor I but {n} will {do}.",
        "{n} has agreed to {do} on Monday.",
        "As you asked, {n} will be the one to {do}.",
        "I have heard from {n}, who will {do} for us.",
        "{n} is going to {do} for you.",
        "{n} will {do} today.",
        "Tomorrow {n} will {do}.",
        "{n} intends to {do} before the weekend.",
        "Don't worry, {n} will {do} in time.",
        "{n} told you and me of a plan to {do}.",
        "Next week {n} is to {do}.",
        "{n} has decided to {do} on Friday.",
    ],
    ("done", "me"): [
        "I {did} this morning.",
        "I have already {done}.",
        "I managed to {do} yesterday.",
        "As you asked, I {did}.",
        "{n} wanted it, and so I {did}.",
        "You will be glad to hear that I {did}.",
        "I am through with {doing}.",
        "It was me who {did} last week.",
        "I {did} before you came in.",
        "You see that I have {done}.",
        "I told {n} that I had {done}.",
        "There is nothing left for you, since I {did}.",
        "I {did} for you.",
        "Yesterday I {did}.",
        "I have just {done}.",
        "Don't worry, I have {done}.",
        "I {did} an hour ago.",
        "I got round to {doing} on Monday.",
        "In the end I {did} myself.",
        "I have {done}, so you can go home.",
    ],
    ("done", "you"): [
        "You {did} this morning.",
        "You have already {done}.",
        "Thank you for {doing} yesterday.",
        "I saw that you {did}.",
        "{n} is happy that you {did}.",
        "I am glad that you managed to {do}.",
        "It was you who {did} last week.",
        "You {did} when I was away.",
        "{n} told me that you had {done}.",
        "I can see that you have {done}.",
        "There is nothing left for me, since you {did}.",
        "As I asked you, you {did} at once.",
        "You {did} for me.",
        "Yesterday you {did}.",
        "You have just {done}.",
        "I don't worry, as you have {done}.",
        "You {did} an hour ago.",
        "You got round to {doing} on Monday.",
        "In the end you {did} yourself.",
        "You have {done}, so I can go home.",
    ],
    ("done", "other"): [
        "{n} {did} this morning.",
        "{n} has already {done}.",
        "{n} managed to {do} yesterday.",
        "I saw that {n} {did}.",
        "You will be glad to hear that {n} {did}.",
        "You and I were late, so {n} {did}.",
        "It was {n} who {did} last week.",
        "I thanked {n} for {doing}.",
        "{n} told me of having {done}.",
        "Instead of you, {n} {did}.",
        "There is nothing left for us, since {n} {did}.",
        "{n} is through with {doing}, as I can see.",
        "{n} {did} for you.",
        "Yesterday {n} {did}.",
        "{n} has just {done}.",
        "Don't worry, {n} has {done}.",
        "{n} {did} an hour ago.",
        "{n} got round to {doing} on Monday.",
        "In the end {n} {did}, not you.",
        "{n} has {done}, so I can go home.",
    ],
    ("question", "me"): [
        "Did I {do}?",
        "Have I {done} already?",
        "Was I supposed to {do}?",
        "Do you remember if I {did}?",
        "When should I {do}?",
        "Do you know whether I have {done}?",
        "I can't remember, was it me who {did}?",
        "Did I tell you that I {did}?",
        "Has {n} asked you when I will {do}?",
        "Am I the one who has to {do}?",
        "I wonder if I ever {did}.",
        "Could you tell me whether I {did}?",
        "Did I really {do}?",
        "Have I {done} yet?",
        "When am I to {do}?",
        "Did I {do} last week?",
        "Am I going to {do} tomorrow?",
        "Do I have to {do}?",
        "Do you think that I {did}?",
        "Did {n} tell you whether I {did}?",
    ],
    ("question", "you"): [
        "Did you {do}?",
        "Have you {done} yet?",
        "When are you going to {do}?",
        "I wonder if you {did}.",
        "Can you tell me whether you {did}?",
        "{n} wants to know if you {did}.",
        "When did you {do}?",
        "Was it you who {did} last week?",
        "Are you the one who has to {do}?",
        "Do I see right that you have {done}?",
        "Did you tell {n} that you {did}?",
        "I don't know whether you {did}, please tell me.",
        "Did you really {do}?",
        "Have you {done} already?",
        "When will you {do}?",
        "Did you {do} last week?",
        "Will you {do} tomorrow?",
        "Do you have to {do}?",
        "Do you remember if you {did}?",
        "Did I hear right that you {did}?",
    ],
    ("question", "other"): [
        "Did {n} {do}?",
        "Has {n} {done} yet?",
        "Do you know if {n} {did}?",
        "When is {n} going to {do}?",
        "Can you tell me whether {n} {did}?",
        "I wonder when {n} will {do}.",
        "Was it {n} who {did} last week?",
        "Did you see if {n} {did}?",
        "Is it {n} who has to {do}, or am I?",
        "Have you asked {n} when to {do}?",
        "I don't know if {n} has {done}, do you?",
        "Did {n} tell you when to expect that {n} will {do}?",
        "Did {n} really {do}?",
        "Has {n} {done} already?",
        "When will {n} {do} for you?",
        "Did {n} {do} last week?",
        "Will {n} {do} tomorrow?",
        "Does {n} have to {do}?",
        "Do you remember if {n} {did}?",
        "Did you hear whether {n} {did}?",
    ],
}

# Each: the verb's base, past and participle after "have", its form in -ing, and the rest.
ERRANDS = """
send sent sent sending the invoice to the printer's
call called called calling the landlord
water watered watered watering the plants
book booked booked booking the meeting room
order ordered ordered ordering new chairs
clean cleaned cleaned cleaning the coffee machine
pay paid paid paying the electricity bill
translate translated translated translating the contract
fix fixed fixed fixing the broken lamp
print printed printed printing the badges
write wrote written writing the minutes
update updated updated updating the website
pick picked picked picking up the parcels
test tested tested testing the new alarm
bring brought brought bringing the keys back
lock locked locked locking the back door
buy bought bought buying stamps
check checked checked checking the figures
invite invited invited inviting the speakers
take took taken taking the van to the garage
move moved moved moving the files to the cellar
answer answered answered answering the complaint
reserve reserved reserved reserving the train seats
copy copied copied copying the plans
return returned returned returning the projector
tidy tidied tidied tidying the kitchen
charge charged charged charging the cameras
sign signed signed signing the lease
count counted counted counting the boxes
paint painted painted painting the fence
proofread proofread proofread proofreading the leaflet
cancel cancelled cancelled cancelling the subscription
feed fed fed feeding the office cat
repair repaired repaired repairing the scanner
wash washed washed washing the towels
"""

NAMES = "Mara Tom Aylin Pavel Ines Jonas Ruth Omar Lena Diego Wei Freya Clara Hugo Noor Erik Sofia Karl Yuki Samir"
