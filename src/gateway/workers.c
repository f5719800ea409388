/* Small pools of threads: for Diffie-Hellman, for signatures with what they may have to ask the network, and for
 * passwords. */
#include "gateway/gateway_internal.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS_MAX 64
#define NICENESS    5 /* data goes before logins */

struct job {
    struct letter letter; /* carries the result home */
    struct shard *shard;
    struct dh_work *work;    /* one of the three: the others are NULL */
    struct ike_proof *proof; /* with the certificates that it was asked under */
    struct certificates *certificates;
    struct errand *errand; /* for the service thread, whose mailbox this is */
    struct mailbox *home;
};

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct letter *first, **last;
    bool stopping;
    unsigned waiting, waiting_max; /* errands */
    unsigned n;
    pthread_t threads[THREADS_MAX];
};

static void give_result(void *receiver, void *letter)
{
    struct job *job = letter;
    struct shard *shard = receiver;
    const usec_t now = clock_now();
    if (job->work)
        stack_dh_done(shard->stack, now, job->work);
    else
        stack_proof_done(shard->stack, now, job->proof);
    pump_flush(shard->pump, now);
    free(job);
}

static void discard_errand(struct errand *errand)
{
    if (errand->letter.discard)
        errand->letter.discard(&errand->letter);
    else
        free(errand);
}

static void drop_content(struct job *job)
{
    if (job->errand)
        discard_errand(job->errand);
    if (job->work)
        dh_work_wipe(job->work);
    if (job->proof)
        ike_proof_wipe(job->proof);
    free(job->work);
    free(job->proof);
    certificates_release(job->certificates);
}

static void discard_result(void *letter)
{
    drop_content(letter);
    free(letter);
}

static struct job *next_job(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->first && !w->stopping)
        pthread_cond_wait(&w->more, &w->lock);
    struct job *job = w->stopping ? NULL : (struct job *)w->first;
    if (job) {
        w->first = job->letter.next;
        if (!w->first)
            w->last = &w->first;
        w->waiting -= job->errand != NULL;
    }
    pthread_mutex_unlock(&w->lock);
    return job;
}

static void run_errand(struct job *job)
{
    job->errand->work(job->errand);
    mailbox_post(job->home, &job->errand->letter);
    free(job);
}

static void *work(void *ctx)
{
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
    for (struct job *job; (job = next_job(ctx)) != NULL;) {
        if (job->errand) {
            run_errand(job);
            continue;
        }
        if (job->work)
            dh_work_run(job->work);
        else
            certificates_answer(job->certificates, clock_wall(), job->proof);
        certificates_release(job->certificates);
        job->certificates = NULL;
        job->letter.run = give_result;
        job->letter.discard = discard_result;
        mailbox_post(&job->shard->mailbox, &job->letter);
    }
    return NULL;
}

struct workers *workers_new(unsigned threads, unsigned waiting)
{
    struct workers *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    w->last = &w->first;
    w->waiting_max = waiting;
    while (w->n < threads && w->n < THREADS_MAX && pthread_create(&w->threads[w->n], NULL, work, w) == 0)
        w->n++;
    if (w->n > 0)
        return w;
    workers_free(w);
    return NULL;
}

void workers_free(struct workers *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->more);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->n; i++)
        pthread_join(w->threads[i], NULL);
    for (struct letter *left = w->first, *next; left; left = next) {
        next = left->next;
        discard_result(left);
    }
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* With the lock held. */
static void enqueue(struct workers *w, struct job *job)
{
    *w->last = &job->letter;
    w->last = &job->letter.next;
    pthread_cond_signal(&w->more);
}

static void submit(struct workers *w, struct job content)
{
    struct job *job = malloc(sizeof(*job));
    if (!job) { /* the exchange will time out, as with a lost packet */
        drop_content(&content);
        return;
    }
    *job = content;
    pthread_mutex_lock(&w->lock);
    enqueue(w, job);
    pthread_mutex_unlock(&w->lock);
}

void workers_submit(struct workers *w, struct shard *shard, struct dh_work *work)
{
    submit(w, (struct job){.shard = shard, .work = work});
}

void workers_prove(struct workers *w, struct shard *shard, struct ike_proof *proof)
{
    submit(w, (struct job){.shard = shard, .proof = proof, .certificates = certificates_hold(shard->certificates)});
}

bool workers_run(struct workers *w, struct mailbox *home, struct errand *errand)
{
    struct job *job = malloc(sizeof(*job));
    if (!job)
        return false;
    *job = (struct job){.errand = errand, .home = home};
    pthread_mutex_lock(&w->lock);
    const bool room = w->waiting < w->waiting_max;
    if (room) {
        w->waiting++;
        enqueue(w, job);
    }
    pthread_mutex_unlock(&w->lock);
    if (!room)
        free(job);
    return room;
}
