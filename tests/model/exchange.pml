/* The exchange protocol: two agents move blocks of their models to the average, over links that lose, repeat and
 * reorder frames; a block is applied on both sides or on neither. Checked by spin: check.sh runs the
 * configurations, README.md says what is abstracted.
 *
 * First the network storms: any frame may be lost, delivered twice or late, any time-out may strike at any
 * moment, agents make offers as they like. At some moment it calms down: no frame is lost any more, nobody makes new
 * offers, and a time-out strikes only when no frame is on its way. Asserts hold throughout; from then on, every run
 * must come to rest: all agents idle, no frame on its way, each block applied by both or by neither. */

#ifndef AGENTS
#define AGENTS 2 /* agent a makes its offers to agent (a + 1) % AGENTS: two agents cross, three make a cycle */
#endif
#ifndef OFFERERS
#define OFFERERS AGENTS /* only the first so many agents make offers */
#endif
#ifndef OFFERS
#define OFFERS 1 /* offers an offering agent makes, each with a nonce of its own */
#endif
#ifndef ACCEPTS
#define ACCEPTS 2 /* answers an offer can get: a late copy of an offer is accepted anew, with another nonce_R */
#endif
#ifndef BLOCKS
#define BLOCKS 2
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 1 /* at a block: I may find that either side has read wrong, and begin the next */
#endif
/* -DRELIABLE: no storm; all offers cross at the start, no frame is lost, the guard accepts.
 * -DINDOUBT: R, prepared, gives up after T_indoubt, and counts it.
 * -DCRASH: an agent that is not prepared may crash. */
#ifndef STORM
#define STORM 3 /* frames on their way to an agent at a time while the network storms; more are lost */
#endif

/* What may be broken on purpose: -DBROKEN=one of these. */
#define APPLY_ON_READY 1   /* R applies when it is prepared */
#define NO_DONE 2          /* I does not record what it has decided */
#define ABORT_ANY_BLOCK 3  /* R, prepared, obeys an ABORT of another block */
#define ONE_NONCE 4        /* the exchange is known by nonce_I alone */
#define READY_ONCE 5       /* R, prepared, repeats nothing */
#define UNKNOWN_IGNORED 6  /* READY for an unknown exchange gets no answer */
#define BOTH_YIELD 7       /* of two crossing offers, both are dropped */
#define QUEUE 8            /* an offer to a busy agent waits until it is answered */
#define DONE_FORGOTTEN 9   /* I forgets what it has decided when the exchange ends */
#define OLD_READY_ABORTED 11 /* READY of an older attempt gets ABORT */
#define ANY_ATTEMPT 12       /* I takes frames of an older attempt for those of this one */
#define ABORT_NEXT_BLOCK 10 /* ACCEPT of an unknown exchange gets ABORT of another block than its first */
#ifndef BROKEN
#define BROKEN 0
#endif

/* An exchange is known by xid = (nonce_I, nonce_R), here one number. Nonces are unique; a larger number is a
 * larger nonce. An OFFER or BUSY, which knows no nonce_R yet, carries the first xid of its nonce. */
#define XIDS (OFFERERS * OFFERS * ACCEPTS)
#define nonce(x) ((x) / ACCEPTS)
#define initiator(x) (nonce(x) % OFFERERS)
#define responder(x) ((initiator(x) + 1) % AGENTS)

/* Frames and agents name a block and an attempt at it, in one number. */
#define block_of(b) ((b) / ATTEMPTS)
#define next_block(b) ((block_of(b) + 1) * ATTEMPTS)
#define is_last(b) (((b) + 1) % ATTEMPTS == 0)
#define bit_of(b) (1 << block_of(b))

mtype = { OFFER, ACCEPT, BUSY, STATE, READY, COMMIT, ABORT, AGAIN } /* frames */
mtype = { IDLE, OFFERING, INITIATING, RECEIVING, PREPARED }  /* phases: two of I, two of R */

chan inbox[AGENTS] = [10] of { mtype, byte, byte }; /* kind, xid, block; kept sorted: order has no meaning */
bool calm;

/* An agent: one exchange at most. */
mtype phase[AGENTS] = IDLE;
byte xid[AGENTS];
byte block[AGENTS];
bool have_state[AGENTS]; /* I has R's state of the block */
bool have_ready[AGENTS]; /* I has R's READY for the block */
#if ATTEMPTS > 1
bool asks[AGENTS]; /* I asks for R's state again, and has no other of its own */
#define says(p) (asks[p] -> AGAIN : STATE)
#else
#define says(p) STATE
#endif
byte offered[AGENTS];
byte accepted[OFFERERS * OFFERS]; /* nonces R has drawn for an offer */
byte done[XIDS];                  /* I's DONE table: bits of blocks */

/* What the claims speak of; no agent reads these. Bits of blocks. */
byte applied_i[XIDS];
byte applied_r[XIDS];
byte excused[XIDS]; /* one-sided cases that are counted: R gave up in doubt, I lost its DONE table in a crash */

#define in_exchange(p) (phase[p] == INITIATING || phase[p] == RECEIVING || phase[p] == PREPARED)
#define is_current(p) (xid[p] == x && block[p] == b)
#define is_current_block(p) (xid[p] == x && block_of(block[p]) == block_of(b))
#define is_next_block(p) (xid[p] == x && block_of(block[p]) + 1 == block_of(b))
#if BROKEN == ANY_ATTEMPT
#define counts_for(p) is_current_block(p)
#else
#define counts_for(p) is_current(p)
#endif
#define prepared_for(x, b) (phase[responder(x)] == PREPARED && xid[responder(x)] == (x) && block[responder(x)] == (b))
#if AGENTS == 2
#define nothing_on_its_way (len(inbox[0]) + len(inbox[1]) == 0)
#define all_idle (phase[0] == IDLE && phase[1] == IDLE)
#else
#define nothing_on_its_way (len(inbox[0]) + len(inbox[1]) + len(inbox[2]) == 0)
#define all_idle (phase[0] == IDLE && phase[1] == IDLE && phase[2] == IDLE)
#endif
#define time_out (!calm || nothing_on_its_way)

/* A copy of a frame that is on its way already adds nothing: any frame may be delivered twice. */
inline send(to, what, which, of_block) {
  if
  :: inbox[to]??[eval(what), eval(which), eval(of_block)]
  :: !(inbox[to]??[eval(what), eval(which), eval(of_block)]) && (calm || len(inbox[to]) < STORM) ->
     inbox[to]!!what, which, of_block
  :: !(inbox[to]??[eval(what), eval(which), eval(of_block)]) && !calm && len(inbox[to]) >= STORM
  fi
}

inline leave() {
#if ATTEMPTS > 1
  asks[me] = false;
#endif
  phase[me] = IDLE; xid[me] = 0; block[me] = 0; have_state[me] = false; have_ready[me] = false
}

/* ---- The claims on each step. */

inline initiator_applies(x_, b_) {
  assert(!(applied_i[x_] & bit_of(b_)));                              /* at most once */
  assert(prepared_for(x_, b_) || (excused[x_] & bit_of(b_)));         /* never while R can no longer follow */
  applied_i[x_] = applied_i[x_] | bit_of(b_)
}

inline responder_applies(x_, b_) {
  assert(!(applied_r[x_] & bit_of(b_)));                              /* at most once */
  assert(applied_i[x_] & bit_of(b_));                                 /* R applied => I applied */
  applied_r[x_] = applied_r[x_] | bit_of(b_)
}

inline responder_drops(x_, b_) {
  assert(!(applied_i[x_] & bit_of(b_)) || (excused[x_] & bit_of(b_))) /* I applied => R will, or it is counted */
}

/* ---- Offers. */

inline make_offer() {
  xid[me] = (offered[me] * OFFERERS + me) * ACCEPTS;
  offered[me]++;
  phase[me] = OFFERING;
  send(responder(xid[me]), OFFER, xid[me], 0)
}

inline accept() {
  if
  :: accepted[nonce(x)] < ACCEPTS ->
     leave();
     phase[me] = RECEIVING;
     xid[me] = x + accepted[nonce(x)];
#if BROKEN != ONE_NONCE
     accepted[nonce(x)]++;
#endif
     send(initiator(x), ACCEPT, xid[me], 0)
  :: else -> send(initiator(x), BUSY, x, 0) /* the model has run out of nonces */
  fi
}

#define crossing (phase[me] == OFFERING && responder(xid[me]) == initiator(x))

inline on_offer() {
  if
  :: phase[me] == IDLE -> accept()
  :: crossing && nonce(x) > nonce(xid[me]) -> accept() /* the larger nonce wins: drop our own offer */
#if BROKEN == BOTH_YIELD
  :: crossing && nonce(x) < nonce(xid[me]) -> accept()
#else
  :: crossing && nonce(x) < nonce(xid[me])
#endif
  :: in_exchange(me) && nonce(xid[me]) == nonce(x) -> send(initiator(x), ACCEPT, xid[me], 0)
#if BROKEN == QUEUE
  :: else -> inbox[me]!!kind, x, b
#else
  :: else -> send(initiator(x), BUSY, x, 0) /* at once: nothing holds while it waits */
#endif
  fi
}

inline on_accept() {
  if
  :: phase[me] == OFFERING && nonce(xid[me]) == nonce(x) ->
     /* Crossing offers make one exchange: the two never both initiate with each other. */
     assert(!(phase[responder(x)] == INITIATING && responder(xid[responder(x)]) == me));
     phase[me] = INITIATING;
     xid[me] = x;
     send(responder(x), STATE, x, 0)
  :: else ->
     if
     :: done[x] || (phase[me] == INITIATING && xid[me] == x)
#if BROKEN == ABORT_NEXT_BLOCK
     :: else -> send(responder(x), ABORT, x, 1)
#else
     :: else -> send(responder(x), ABORT, x, 0) /* an exchange that will not be */
#endif
     fi
  fi
}

inline on_busy() {
  if
  :: phase[me] == OFFERING && nonce(xid[me]) == nonce(x) -> leave()
  :: else
  fi
}

/* ---- A block. */

/* I, with R's state and READY: checksums agree, and the guard has its say. */
inline decide() {
  if
  :: initiator_applies(x, block[me]);
#if BROKEN != NO_DONE
     done[x] = done[x] | bit_of(b);
#endif
     send(responder(x), COMMIT, x, b);
     if
     :: block_of(b) + 1 < BLOCKS -> /* at once; R learns from this STATE that the block before is decided */
        have_state[me] = false;
        have_ready[me] = false;
#if ATTEMPTS > 1
        asks[me] = false;
#endif
        block[me] = next_block(b);
        send(responder(x), STATE, x, next_block(b))
     :: else ->
        leave()
#if BROKEN == DONE_FORGOTTEN
        ; done[x] = 0
#endif
     fi
#if ATTEMPTS > 1
  :: !is_last(block[me]) && !is_last(block[me] + 1) -> /* either has read wrong: once more */
     block[me]++;
     have_ready[me] = false;
     if
     :: asks[me] = false                           /* R has: it gets I's state again, */
     :: asks[me] = false; have_state[me] = false   /* or both have, */
     :: asks[me] = true; have_state[me] = false    /* or only I */
     fi;
     send(responder(x), says(me), x, block[me])
  :: !is_last(block[me]) -> /* or for the last time: everything anew */
     block[me] = next_block(block[me]) - 1;
     asks[me] = false;
     have_state[me] = false;
     have_ready[me] = false;
     send(responder(x), STATE, x, block[me])
#endif
#ifndef RELIABLE
  :: send(responder(x), ABORT, x, b); leave()
#endif
  fi
}

/* R, with I's state of block b: stages its delta. */
inline prepare() {
  phase[me] = PREPARED;
  block[me] = b;
#if BROKEN == APPLY_ON_READY
  responder_applies(x, b);
#endif
  send(initiator(x), STATE, x, b); /* may be lost, or arrive after READY */
  send(initiator(x), READY, x, b)
}

inline commit() {
#if BROKEN != APPLY_ON_READY
  responder_applies(x, block[me])
#else
  skip
#endif
}

inline on_state() {
  if
  :: phase[me] == INITIATING && counts_for(me) ->
     have_state[me] = true;
     if
     :: have_ready[me] -> decide()
     :: else
     fi
  :: phase[me] == RECEIVING && is_current(me) -> prepare()
  :: phase[me] == PREPARED && is_current(me) -> send(initiator(x), READY, x, b)
  :: phase[me] == PREPARED && is_next_block(me) -> commit(); prepare()
#if ATTEMPTS > 1
  :: phase[me] == PREPARED && is_current_block(me) && b > block[me] && (b == block[me] + 1 || is_last(b)) ->
     responder_drops(x, block[me]); /* I has not decided this attempt, and never will */
     prepare()
#endif
  :: else
  fi
}

/* R keeps what it has staged, for I's new attempt. */
inline on_again() {
#if ATTEMPTS > 1
  if
  :: phase[me] == PREPARED && is_current_block(me) && b == block[me] + 1 -> prepare()
  :: phase[me] == PREPARED && is_current(me) -> send(initiator(x), READY, x, b)
  :: else
  fi
#else
  skip
#endif
}

inline on_ready() {
  if
  :: done[x] & bit_of(b) -> send(responder(x), COMMIT, x, b) /* whatever we do now */
#if ATTEMPTS > 1 && BROKEN != OLD_READY_ABORTED && BROKEN != ANY_ATTEMPT
  :: !(done[x] & bit_of(b)) && phase[me] == INITIATING && is_current_block(me) && b < block[me] ->
     send(responder(x), says(me), x, block[me]) /* R has not heard of this attempt: I repeats itself until it has */
#endif
  :: !(done[x] & bit_of(b)) && phase[me] == INITIATING && counts_for(me) ->
     have_ready[me] = true;
     if
     :: have_state[me] -> decide()
     :: else
     fi
#if BROKEN == UNKNOWN_IGNORED
  :: else
#else
  :: else -> send(responder(x), ABORT, x, b)
#endif
  fi
}

inline on_commit() {
  if
  :: phase[me] == PREPARED && is_current(me) ->
     commit();
     if
     :: block_of(b) + 1 < BLOCKS -> phase[me] = RECEIVING; block[me] = next_block(b)
     :: else -> leave()
     fi
  :: else
  fi
}

/* An ABORT is of a block: one of block 1 must not undo block 0, which I has decided and R may not know of yet. It
 * rather tells R so, as STATE of block 1 does. */
inline on_abort() {
  if
  :: (phase[me] == INITIATING || phase[me] == RECEIVING) && is_current_block(me) -> leave()
#if BROKEN == ABORT_ANY_BLOCK
  :: phase[me] == PREPARED && xid[me] == x -> responder_drops(x, block[me]); leave()
#else
  :: phase[me] == PREPARED && is_current_block(me) -> responder_drops(x, b); leave()
  :: phase[me] == PREPARED && is_next_block(me) -> commit(); leave()
#endif
  :: else
  fi
}

/* ---- Time-outs. Frames are repeated a bounded number of times, so giving up is possible at any of them. */

inline repeat() {
  x = xid[me]; b = block[me];
  if
  :: phase[me] == OFFERING -> send(responder(x), OFFER, x, 0)
  :: phase[me] == INITIATING -> send(responder(x), says(me), x, b)
  :: phase[me] == RECEIVING && b == 0 -> send(initiator(x), ACCEPT, x, 0)
  :: phase[me] == RECEIVING -> send(initiator(x), STATE, x, b) /* of block 0 it may follow ACCEPT */
  :: phase[me] == PREPARED -> send(initiator(x), STATE, x, b); send(initiator(x), READY, x, b)
  fi
}

inline give_up() {
  x = xid[me]; b = block[me];
  if
  :: phase[me] == INITIATING -> send(responder(x), ABORT, x, b)
  :: phase[me] == RECEIVING -> send(initiator(x), ABORT, x, b)
#ifdef INDOUBT
  :: phase[me] == PREPARED -> excused[x] = excused[x] | bit_of(b); send(initiator(x), ABORT, x, b)
#endif
  :: phase[me] == OFFERING
  fi;
  leave()
}

#if BROKEN == QUEUE
#define may_give_up (phase[me] == INITIATING || phase[me] == RECEIVING)
#elif defined(INDOUBT)
#define may_give_up (phase[me] != IDLE)
#else
#define may_give_up (phase[me] == OFFERING || phase[me] == INITIATING || phase[me] == RECEIVING)
#endif

#if BROKEN == READY_ONCE
#define may_repeat (phase[me] != IDLE && phase[me] != PREPARED)
#else
#define may_repeat (phase[me] != IDLE)
#endif

/* An agent that is not prepared loses all but its model, its nonces' freshness and perhaps its DONE table. */
inline crash() {
  leave();
  if
  :: true /* DONE was kept */
  :: x = 0;
     do
     :: x < XIDS && initiator(x) == me -> excused[x] = excused[x] | applied_i[x]; done[x] = 0; x++
     :: x < XIDS && initiator(x) != me -> x++
     :: else -> break
     od
  fi
}

/* ---- Agents and network. */

/* Takes any frame out of the inbox. */
inline take() {
  i = 0;
  do
  :: i + 1 < len(inbox[me]) -> i++
  :: break
  od;
  left = len(inbox[me]);
  d_step {
    do
    :: left > 0 ->
       if
       :: i == 0 -> inbox[me]?kind, x, b
       :: else -> inbox[me]?other_kind, other_x, other_b; inbox[me]!other_kind, other_x, other_b
       fi;
       i--;
       left--
    :: else -> break
    od;
    i = 0; other_kind = 0; other_x = 0; other_b = 0
  }
}

inline handle() {
  if
  :: kind == OFFER -> on_offer()
  :: kind == ACCEPT -> on_accept()
  :: kind == BUSY -> on_busy()
  :: kind == STATE -> on_state()
  :: kind == READY -> on_ready()
  :: kind == COMMIT -> on_commit()
  :: kind == ABORT -> on_abort()
  :: kind == AGAIN -> on_again()
  :: kind == 0
  fi
}

proctype agent(byte me) {
  mtype kind, other_kind;
  byte x, b, other_x, other_b, left;
  short i;
end:
  do
  :: atomic {
       len(inbox[me]) > 0 ->
       take();
       if
       :: true                              /* it arrives */
       :: !calm -> inbox[me]!!kind, x, b    /* so does another copy, later */
       :: !calm -> kind = 0                 /* it is lost */
       fi;
       handle();
       kind = 0; x = 0; b = 0
     }
#ifndef RELIABLE
  :: atomic { !calm && phase[me] == IDLE && me < OFFERERS && offered[me] < OFFERS -> make_offer() }
#endif
     /* In the calm only R, prepared, goes on repeating, for it may not give up. */
  :: atomic { may_repeat && (!calm || (phase[me] == PREPARED && time_out)) -> repeat(); x = 0; b = 0 }
  :: atomic { may_give_up && time_out -> give_up(); x = 0; b = 0 }
#ifdef CRASH
  :: atomic { !calm && phase[me] != PREPARED -> crash(); x = 0 }
#endif
  od
}

init {
  byte me, x, exchanges;
  atomic {
    me = 0;
    do
    :: me < AGENTS ->
       run agent(me);
#ifdef RELIABLE
       make_offer();
#endif
       me++
    :: else -> break
    od;
#ifdef RELIABLE
    calm = true
#endif
  }
progress_storm: /* a cycle without progress is one of the calm: the agents would never come to rest */
  calm = true;
  atomic {
    all_idle && nothing_on_its_way ->
    x = 0;
    do
    :: x < XIDS ->
       assert((applied_i[x] | excused[x]) == (applied_r[x] | excused[x])); /* by both or neither, or counted */
       if
       :: applied_i[x] == (1 << BLOCKS) - 1 -> exchanges++
       :: else
       fi;
       x++
    :: else -> break
    od
#ifdef RELIABLE
    ; assert(AGENTS > 2 || exchanges == 1) /* of two crossing offers, exactly one becomes an exchange */
#endif
  }
}
