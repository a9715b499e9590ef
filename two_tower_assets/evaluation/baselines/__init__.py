# TEMPORARY for debugging
from dataclasses import dataclass
import numpy as np, torch, scipy.sparse as sp
from two_tower_assets.features.history import LIKE
from two_tower_assets.features.times import MICROSECONDS_A_DAY
@dataclass
class NotMeasured: reason: str
@dataclass
class Tuned: parameters: dict; score: float; tried: list
def counts(d,since=None):
    h=d.history; k=(h.kind==LIKE)&(h.video>=0)&(h.time<d.until)
    if since is not None: k&=h.time>=since
    return np.bincount(h.video[k],minlength=len(h.video_ids)).astype(float)
@dataclass
class Fitted:
    f: object
    def score(self,task): return self.f(task)
@dataclass
class Baseline:
    name: str; grid: tuple; make: object
    def fit(self,data,parameters): return Fitted(self.make(data,parameters))
def pop(days):
    def make(d,p):
        e=counts(d); s=e if days is None else counts(d,d.until-days*MICROSECONDS_A_DAY)+e/(e.max()+1)
        return lambda task: (lambda rows: torch.tensor(s[task.candidates],dtype=torch.float32).repeat(len(rows),1))
    return make
def ease(d,p):
    h=d.history; k=(h.kind==LIKE)&(h.video>=0)&(h.time<d.until)
    X=sp.csr_matrix((np.ones(k.sum(),np.float32),(h.user[k],h.video[k])),shape=(len(h.user_ids),len(h.video_ids)))
    it=np.flatnonzero(np.asarray(X.sum(0)).ravel()); X=X[:,it]; G=(X.T@X).toarray().astype(np.float64); G[np.diag_indices_from(G)]+=p['l']
    P=np.linalg.inv(G); B=-P/np.diag(P); np.fill_diagonal(B,0); pp=counts(d); pp=1e-9*pp
    def f(task):
        def g(rows):
            full=np.zeros((len(rows),len(h.video_ids)),np.float32); full[:,it]=X[task.users[rows]]@B.astype(np.float32)
            return torch.tensor((full+pp)[:,task.candidates].astype(np.float32))
        return g
    return f
def cosine(d,p):
    M=d.items; W=M.width-3; A=sp.csr_matrix((M.values,M.columns,M.offsets),shape=(len(M),W)); df=np.bincount(M.columns,minlength=W)+1; A=A@sp.diags(np.log(len(M)/df))
    n=np.sqrt(np.asarray(A.multiply(A).sum(1)).ravel()); A=(sp.diags(1/np.maximum(n,1e-9))@A).tocsr()
    h=d.history; k=(h.kind==LIKE)&(h.video>=0)&(h.time<d.until)
    X=sp.csr_matrix((np.ones(k.sum(),np.float32),(h.user[k],h.video[k])),shape=(len(h.user_ids),len(h.video_ids)))
    return lambda task: (lambda rows: torch.tensor((X[task.users[rows]]@A@A[task.candidates].T).toarray().astype(np.float32)))
BASELINES=(Baseline('most_popular',({},),pop(None)),Baseline('popular_7_days',({},),pop(7)),Baseline('popular_30_days',({},),pop(30)),Baseline('content_cosine',({},),cosine),Baseline('item_knn',({},),pop(None)),Baseline('ease',({'l':200},{'l':500}),ease),Baseline('als',({},),pop(None)),Baseline('bpr',({},),pop(None)))
def tune(b,data,measure):
    t=[(measure(b.fit(data,p)),i,p) for i,p in enumerate(b.grid)]; s,_,p=max(t); return Tuned(p,s,t)
